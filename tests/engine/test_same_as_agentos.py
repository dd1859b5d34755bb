"""The same components in the released AgentOS, asked over HTTP: documents and frames must be equal."""

import asyncio
import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import httpx
import pytest
from agno.db.in_memory import InMemoryDb
from agno.os import AgentOS
from fastapi import FastAPI

from agentos_lambda.engine.components.build_manifest import describe_components
from agentos_lambda.engine.components.loader import Components
from agentos_lambda.engine.components.manifest import Manifest
from agentos_lambda.engine.engine import AgnoEngine
from agentos_lambda.protocol.values import JsonObject, Kind
from tests.engine import samples
from tests.engine.playing import CANCEL_GRACE_SECONDS, continuing, play, request_of

VOLATILE = {
    "created_at", "duration", "time_to_first_token", "start_time", "end_time", "id", "step_id", "step_run_id",
    "child_run_id", "workflow_step_id", "updated_at",
    "events",  # AgentOS keeps them in the runs, we in the log
}  # fmt: skip


OF_ONE_RUN = {"current_session_id", "current_user_id", "current_run_id"}
"""AgentOS leaves them in the state of members and steps, we take them out."""


@pytest.fixture
def components(request: pytest.FixtureRequest) -> Components:
    agents = [request.getfixturevalue("assistant"), request.getfixturevalue("companion")]
    workflows = [request.getfixturevalue(name) for name in ("letter", "broken", "reviewed")]
    return Components(agents=agents, teams=[request.getfixturevalue("newsroom")], workflows=workflows)


@pytest.fixture(scope="module")
def database() -> InMemoryDb:
    database = InMemoryDb()
    database.id = "agentos-lambda"
    return database


@pytest.fixture(scope="module")
def server(database: InMemoryDb) -> FastAPI:
    return AgentOS(
        id="agentos-lambda",
        db=database,
        telemetry=False,
        agents=[samples.assistant(), samples.companion()],
        teams=[samples.newsroom()],
        workflows=[samples.letter(), samples.broken(), samples.reviewed()],
    ).get_app()


@pytest.fixture
def released(server: FastAPI, database: InMemoryDb) -> Iterator[FastAPI]:
    """One for all tests, since it takes half a second to make: none sees another's session."""
    yield server
    database.delete_session("session-1")


def ask(app: FastAPI, method: str, path: str, **form: str) -> str:
    async def run() -> str:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://released") as client:
            return (await client.request(method, path, data=form or None)).raise_for_status().text

    return asyncio.run(run())


def frames(text: str) -> Iterator[JsonObject]:
    for frame in text.split("\n\n"):
        for line in frame.splitlines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


def steady(value: Any, key: str = "") -> Any:
    """The value without what differs between any two runs."""
    if isinstance(value, dict):
        if key == "step_executor_runs":
            value = {**value, "status": "COMPLETED"}  # AgentOS may say CANCELLED of a step that completed
        return {name: steady(item, name) for name, item in value.items() if name not in VOLATILE | OF_ONE_RUN}
    if isinstance(value, list):
        return [steady(item, key) for item in value]
    if key in ("run_id", "parent_run_id", "current_run_id", "workflow_run_id") and value != "run-1":
        return "another run"
    if key == "content" and isinstance(value, str) and "completed in" in value:
        return value.partition("completed in")[0]
    return value


@pytest.mark.parametrize(
    ("component", "message"),
    [
        ("agent/assistant", "hello"),
        ("agent/assistant", "add 2 and 3"),
        ("agent/assistant", "call explode"),
        ("agent/assistant", 'call delete {"what": "all"}'),
        ("agent/assistant", "[fail]"),
        ("team/newsroom", "hello"),
        ("team/newsroom", "ask writer: add 2 and 3"),
        ("team/newsroom", "[fail]"),
        ("workflow/letter", "dear"),
        ("workflow/broken", "dear"),
    ],
)
def test_frames_are_those_of_the_released_server(
    components: Components, released: FastAPI, component: str, message: str
) -> None:
    ours = play(
        AgnoEngine(components, cancel_grace_seconds=CANCEL_GRACE_SECONDS), request_of(component, message)
    ).events
    kind, _, component_id = component.partition("/")
    form = {"message": message, "stream": "true", "session_id": "session-1", "user_id": "ada", "run_id": "run-1"}
    theirs = list(frames(ask(released, "POST", f"/{kind}s/{component_id}/runs", **form)))

    assert [event["event"] for event in ours] == [event.get("event") for event in theirs]
    for our_event, their_event in zip(ours, theirs, strict=True):
        if our_event["event"] == "TeamRunCompleted":
            assert our_event.pop("session_state") == {}  # theirs has none
        assert steady(our_event) == steady(their_event)
        assert list(our_event) == list(their_event)


@pytest.mark.parametrize("component", ["agent/assistant", "team/newsroom", "workflow/letter"])
def test_an_answer_is_that_of_the_released_server(components: Components, released: FastAPI, component: str) -> None:
    request = request_of(component, "ask writer: dear", stream=False)
    output = play(AgnoEngine(components, cancel_grace_seconds=CANCEL_GRACE_SECONDS), request).outcome.output
    ours = deepcopy(output.run)
    if output.members:
        ours["member_responses"] = list(output.members)
    kind, _, component_id = component.partition("/")
    form = {"message": "ask writer: dear", "stream": "false", "session_id": "session-1", "user_id": "ada"}
    theirs = json.loads(ask(released, "POST", f"/{kind}s/{component_id}/runs", **form, run_id="run-1"))

    assert steady(ours) == steady(theirs)


@pytest.mark.parametrize(
    ("component", "message", "field", "decision"),
    [
        ("agent/assistant", 'call delete {"what": "all"}', "tools", {"confirmed": True}),
        ("agent/assistant", 'call delete {"what": "all"}', "tools", {"confirmed": False, "confirmation_note": "no"}),
        ("agent/assistant", 'call delete {"what": "all"}', "tools", {}),
        ("workflow/reviewed", "dear", "step_requirements", {"confirmed": True}),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_a_run_that_goes_on_is_that_of_the_released_server(
    *,
    components: Components,
    released: FastAPI,
    component: str,
    message: str,
    field: str,
    decision: JsonObject,
    stream: bool,
) -> None:
    def decided(run: JsonObject) -> list[JsonObject]:
        return [{**item, **decision} for item in run[field]]

    engine = AgnoEngine(components, cancel_grace_seconds=CANCEL_GRACE_SECONDS)
    request = request_of(component, message, stream=stream)
    paused = play(engine, request)
    sent = decided(paused.outcome.output.run)
    ours = play(engine, continuing(paused, request, **{"tools" if field == "tools" else "requirements": sent}))

    kind, _, component_id = component.partition("/")
    path = f"/{kind}s/{component_id}/runs"
    ids = {"session_id": "session-1", "user_id": "ada"}
    theirs_paused = json.loads(ask(released, "POST", path, message=message, stream="false", run_id="run-1", **ids))
    form = {field: json.dumps(decided(theirs_paused)), "stream": str(stream).lower(), **ids}
    theirs = ask(released, "POST", f"{path}/run-1/continue", **form)

    if not stream:
        assert settled(ours.outcome.output.run) == settled(json.loads(theirs))
        return
    for our_event, their_event in zip(ours.events, frames(theirs), strict=True):
        their_event.pop("event_index", None)  # ours are numbered by the log
        assert steady(our_event) == steady(their_event)


def settled(run: JsonObject) -> JsonObject:
    """AgentOS makes the requirements of a continued agent anew, ours keep what they were."""
    return {name: value for name, value in steady(run).items() if name != "requirements"}


def test_documents_are_those_of_the_released_server(components: Components, released: FastAPI) -> None:
    manifest = Manifest(describe_components(components), {})
    config = json.loads(ask(released, "GET", "/config"))

    for kind in Kind:
        assert [component.config for component in manifest.all(kind)] == config.pop(kind.plural)
        assert [component.listed for component in manifest.all(kind)] == json.loads(
            ask(released, "GET", f"/{kind.plural}")
        )
        for component in manifest.all(kind):
            assert component.detail == json.loads(ask(released, "GET", f"/{kind.plural}/{component.id}"))
    assert manifest.models() == config.pop("available_models")
    for domain in ("metrics", "learning", "evals", "traces"):
        config[domain]["dbs"] = []  # ours has no routes for them
    assert manifest.os_config() == config
