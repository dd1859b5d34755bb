"""The stack that is driven, and how it is asked."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NamedTuple
from uuid import uuid4

import httpx

REQUEST_SECONDS = 60
"""How long an answer may take: a cold start, and the run."""
WAIT_SECONDS = 60
"""How long something may take that is waited for by asking again."""
ASK_EVERY_SECONDS = 0.5


class Failed(Exception):
    """What was seen is not what has to be. ``look`` says where to look, if that differs from the check's own."""

    def __init__(self, seen: str, look: str = "") -> None:
        super().__init__(seen)
        self.look = look


class Skipped(Exception):
    """The check says nothing about this stack. The text says why."""


class Arrival(NamedTuple):
    """An event of a stream, and when it came, in seconds."""

    event: dict[str, Any]
    at: float

    @property
    def name(self) -> str:
        """Of the event."""
        return str(self.event.get("event"))


@dataclass(frozen=True, slots=True)
class Target:
    """A stack, and the components that are run."""

    url: str
    key: str | None
    """The security key, or a token."""
    streams: bool
    origin: str
    """Of a page that may call the API."""
    agent: str
    workflow: str | None
    obeys: bool
    """The agent has the demo model, which does what a message says."""
    websocket: str | None
    sessions: list[str] = field(default_factory=list)
    """What the checks have made."""

    def client(self, *, seconds: float = REQUEST_SECONDS, key: str | None = "") -> httpx.Client:
        """A client of its own. ``key`` in place of the target's; None: without one."""
        shown = self.key if key == "" else key
        headers = {"Authorization": f"Bearer {shown}"} if shown else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=seconds)

    @property
    def runs(self) -> str:
        """Where the agent is run."""
        return f"/agents/{self.agent}/runs"

    def run(self, message: str, **fields: str) -> dict[str, str]:
        """The form of a run with ids of its own."""
        session = f"smoke-{uuid4()}"
        self.sessions.append(session)
        return {"message": message, "session_id": session, "run_id": f"smoke-{uuid4()}", **fields}

    def needs_demo(self) -> None:
        """Raises ``Skipped`` where a message cannot say what the model does."""
        if not self.obeys:
            raise Skipped(f"{self.agent} has a model of its own, which does not obey")


def expect(condition: bool, seen: str, look: str = "") -> None:
    """Raises ``Failed`` unless the condition holds."""
    if not condition:
        raise Failed(seen, look)


def answered(answer: httpx.Response, status: int) -> Any:
    """The JSON of an answer with this status; None of an empty one. Raises ``Failed`` otherwise."""
    expect(answer.status_code == status, f"{answer.request.method} {answer.request.url.path} gave {shown(answer)}")
    return answer.json() if answer.content else None


def shown(answer: httpx.Response) -> str:
    """Status and the beginning of the body."""
    return f"{answer.status_code} {answer.text[:160].strip()}".strip()


def arrivals(answer: httpx.Response) -> Iterator[Arrival]:
    """The events of a stream, as they come."""
    for line in answer.iter_lines():
        if line.startswith("data: "):
            yield Arrival(json.loads(line.removeprefix("data: ")), time.monotonic())


def ended(client: httpx.Client, path: str, *, seconds: float = WAIT_SECONDS) -> dict[str, Any]:
    """The run, once it has ended. Raises ``Failed`` if it has not in time."""
    before = time.monotonic() + seconds
    while True:
        answer = client.get(path)
        run: dict[str, Any] = answer.json() if answer.is_success else {"status": shown(answer)}
        if run["status"] in ("COMPLETED", "ERROR", "CANCELLED", "PAUSED"):
            return run
        expect(time.monotonic() < before, f"after {seconds:.0f} s the run is {run['status']}")
        time.sleep(ASK_EVERY_SECONDS)


def discover(
    url: str, key: str | None, *, streams: bool, origin: str, websocket: str = "", agent: str = "", workflow: str = ""
) -> Target:
    """Ask the stack what it has. An empty name is chosen: the samples' if they are there, else the first.

    Raises ``Failed``, and what httpx raises if the stack cannot be reached.
    """
    target = Target(url.rstrip("/"), key or None, streams, origin, agent, workflow or None, False, websocket or None)
    with target.client() as client:
        info = answered(client.get("/info"), 200)
        agents = _listed(client, "/agents")
        workflows = _listed(client, "/workflows")
    agent = agent or ("assistant" if "assistant" in agents else next(iter(agents), ""))
    expect(agent in agents, f"there is no agent {agent} that the caller may see")
    workflow = workflow or ("letter" if "letter" in workflows else next(iter(workflows), ""))
    obeys = (agents[agent].get("model") or {}).get("provider") == "Demo"
    return Target(
        target.url,
        target.key,
        streams,
        origin,
        agent,
        workflow or None,
        obeys,
        websocket or info.get("websocket_url"),
    )


def _listed(client: httpx.Client, path: str) -> dict[str, dict[str, Any]]:
    """Components by id; none where the caller's token is not for them."""
    answer = client.get(path)
    if answer.status_code == HTTPStatus.FORBIDDEN:
        return {}
    return {each["id"]: each for each in answered(answer, HTTPStatus.OK)}
