"""Clients of sessions: they create, rename, change and delete them while runs are under way and workers are killed."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import httpx

_PATH = "/agents/companion/runs"
_POLL_SECONDS = 0.5


@dataclass
class Conversation:
    """One client's account of one session."""

    session_id: str
    chance: random.Random
    name: str = "begun"
    state: dict[str, int] = field(default_factory=lambda: {"changes": 0})
    runs: list[str] = field(default_factory=list)
    deleted: bool = False

    async def live(self, http: httpx.AsyncClient) -> None:
        """Create the session, run in it and change it; half of them are deleted with a run under way."""
        body = {"session_id": self.session_id, "session_name": self.name, "session_state": self.state}
        (await http.post("/sessions", json=body)).raise_for_status()
        for turn in range(1, 4):
            form = {"message": "a while, please [slow 40ms]", "session_id": self.session_id, "background": "true"}
            answer = (await http.post(_PATH, data={**form, "stream": "false"})).raise_for_status()
            self.runs.append(answer.json()["run_id"])
            self.name, self.state = f"turn {turn}", {"changes": turn}
            session = f"/sessions/{self.session_id}"
            (await http.post(f"{session}/rename", json={"session_name": self.name})).raise_for_status()
            (await http.patch(session, json={"session_state": self.state})).raise_for_status()
            await asyncio.sleep(self.chance.random())
        if self.chance.random() < 0.5:
            (await http.delete(f"/sessions/{self.session_id}")).raise_for_status()
            self.deleted = True

    async def settle(self, http: httpx.AsyncClient) -> None:
        """Wait until no run in it can commit any more."""
        for run_id in self.runs:
            while (answer := await http.get(f"{_PATH}/{run_id}")).status_code == httpx.codes.OK:
                if answer.json()["status"] not in ("PENDING", "RUNNING"):
                    break
                await asyncio.sleep(_POLL_SECONDS)

    async def wrong(self, http: httpx.AsyncClient) -> str | None:
        """What is not as the client was told, when all is over."""
        answer = await http.get(f"/sessions/{self.session_id}")
        if self.deleted:
            return None if answer.status_code == httpx.codes.NOT_FOUND else f"{self.session_id} came back"
        if answer.status_code != httpx.codes.OK:
            return f"{self.session_id} is lost: {answer.status_code}"
        found = answer.json()
        kept = (found.get("session_name"), found.get("session_state"))
        if kept != (self.name, self.state):
            return f"{self.session_id}: {kept}, not {self.name}, {self.state}"
        runs = (await http.get(f"/sessions/{self.session_id}/runs")).raise_for_status().json()
        lost = set(self.runs) - {run["run_id"] for run in runs}
        return f"{self.session_id} has lost {sorted(lost)}" if lost else None
