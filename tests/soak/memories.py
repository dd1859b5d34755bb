"""Users who have much remembered by runs at the same time, while workers are killed, and what must be known of them."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import httpx

from tests.soak.ledger import FINAL

_PATH = "/agents/companion/runs"
_POLL_SECONDS = 0.5
_AT_ONCE = 3
_TURNS = 3


def wrong_memories(runs: Mapping[str, str], memories: Iterable[str]) -> list[str]:
    """What is not as it has to be, in sentences. ``runs``: by the text that each was told to remember, its status."""
    found = Counter(memories)
    told = []
    for text, status in runs.items():
        if status not in FINAL:
            told.append(f"the run of {text!r} has not ended")
        elif status == "COMPLETED" and not found[text]:
            told.append(f"{text!r} is lost")
        elif status != "COMPLETED" and found[text]:
            told.append(f"{text!r} is known, though its run is {status}")
        if found[text] > 1:
            told.append(f"{text!r} is known {found[text]} times")
    return told + [f"nobody has said {text!r}" for text in found if text not in runs]


@dataclass
class RememberedUser:
    """One user's account of what runs were told to remember."""

    user_id: str
    runs: dict[str, str] = field(default_factory=dict)
    """By the text, the run's id."""
    statuses: dict[str, str] = field(default_factory=dict)
    """By the text, how its run has ended."""

    async def live(self, http: httpx.AsyncClient) -> None:
        """Start some runs at once, and again: each in a session of its own, all of the same user."""
        for turn in range(_TURNS):
            await asyncio.gather(*(self._remember(http, f"{turn}-{number}") for number in range(_AT_ONCE)))
            await asyncio.sleep(1)

    async def _remember(self, http: httpx.AsyncClient, text: str) -> None:
        task = f"call add_memory {json.dumps({'memory': text})}"
        message = f"call update_user_memory {json.dumps({'task': task})}\n[slow 20ms]"
        form = {"message": message, "user_id": self.user_id, "session_id": f"{self.user_id}-{text}"}
        answer = await http.post(_PATH, data={**form, "background": "true", "stream": "false"})
        self.runs[text] = answer.raise_for_status().json()["run_id"]

    async def settle(self, http: httpx.AsyncClient) -> None:
        """Wait until every run has ended."""
        for text, run_id in self.runs.items():
            while text not in self.statuses:
                if (status := await self._status(http, run_id)) in FINAL:
                    self.statuses[text] = status
                else:
                    await asyncio.sleep(_POLL_SECONDS)

    async def _status(self, http: httpx.AsyncClient, run_id: str) -> str:
        answer = await http.get(f"{_PATH}/{run_id}", params={"user_id": self.user_id})
        return str(answer.raise_for_status().json()["status"])

    async def wrong(self, http: httpx.AsyncClient) -> list[str]:
        """What is not known of the user as the runs have ended, when all is over."""
        answer = await http.get("/memories", params={"user_id": self.user_id, "limit": "1000"})
        page = answer.raise_for_status().json()
        told = wrong_memories(self.statuses, [each["memory"] for each in page["data"]])
        if page["meta"]["total_count"] != len(page["data"]):
            told.append(f"{page['meta']['total_count']} are counted, {len(page['data'])} are there")
        return [f"{self.user_id}: {each}" for each in told]
