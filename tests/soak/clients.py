"""Clients of background runs: they start, watch, drop out, come back, cancel, and remember what they hear."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator

import httpx

from tests.soak.ledger import FINAL, Frame, Promise

_PATHS = ("/agents/assistant/runs", "/agents/companion/runs", "/teams/newsroom/runs", "/workflows/letter/runs")
_MESSAGES = (
    "hello there, how are you today? [slow 40ms]",
    "a longer text that takes its time, word by word, until somebody has had enough of it [slow 150ms]",
    "add 2 and 3",
    "ask writer: a headline, please [slow 40ms]",
    "[fail out of ink]",
)
_CONTROL = frozenset({"catch_up", "replay", "subscribed"})
_POLL_SECONDS = 0.5
_SESSIONS = 12


class Client:
    """One of many. Chance decides what it does; the same seed decides the same."""

    def __init__(self, http: httpx.AsyncClient, chance: random.Random) -> None:
        self._http = http
        self._chance = chance

    async def start_a_run(self, promises: list[Promise]) -> None:
        """A run from its acceptance to the end of what its client waits for. What is not accepted is no promise."""
        chance = self._chance
        path = chance.choice(_PATHS)
        form = {
            "message": chance.choice(_MESSAGES),
            "background": "true",
            "stream": "false",
            "session_id": f"session-{chance.randrange(_SESSIONS)}-{path.split('/')[2]}",
        }
        answer = await self._http.post(path, data=form)
        if answer.status_code != httpx.codes.ACCEPTED:
            raise RuntimeError(f"not accepted: {answer.status_code} {answer.text}")
        promise = Promise(path, answer.json()["run_id"])
        promises.append(promise)
        if chance.random() < 0.2:
            await asyncio.sleep(chance.random() * 2)
            await self._cancel(promise)
        if chance.random() < 0.5:
            promise.watched = True

    async def wait_for(self, promise: Promise) -> None:
        """Watch or poll until the run has ended."""
        while not promise.seen_out if promise.watched else promise.told is None:
            if promise.watched:
                await self._watch(promise)
            else:
                promise.hear(str((await self._get(promise))["status"]))
            await asyncio.sleep(_POLL_SECONDS * self._chance.random())

    async def look_back(self, promise: Promise) -> None:
        """Read the run and its log once more, when all is over."""
        promise.found = await self._get(promise)
        if promise.status in FINAL:
            promise.replayed = [frame async for frame in self._resumed(promise, after=None)]

    async def _watch(self, promise: Promise) -> None:
        """Follow the run from the last event that came; sometimes the connection is dropped in the middle."""
        patience = self._chance.randrange(1, 12) if self._chance.random() < 0.6 else None
        after = promise.frames[-1].index if promise.frames else None
        async for frame in self._resumed(promise, after=after):
            promise.take(frame)
            if patience is not None and (patience := patience - 1) == 0:
                return
        promise.seen_out = promise.end_came

    async def _resumed(self, promise: Promise, *, after: int | None) -> AsyncIterator[Frame]:
        form = {} if after is None else {"last_event_index": str(after)}
        async with self._http.stream("POST", f"{promise.path}/{promise.run_id}/resume", data=form) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    event = json.loads(line.removeprefix("data: "))
                    if event["event"] not in _CONTROL:
                        yield Frame(event["event_index"], event)

    async def _cancel(self, promise: Promise) -> None:
        answer = await self._http.post(f"{promise.path}/{promise.run_id}/cancel")
        answer.raise_for_status()
        told = answer.json()
        promise.cancel_acknowledged = bool(told["cancel_requested"])
        promise.hear(told["status"])

    async def _get(self, promise: Promise) -> dict[str, object]:
        answer = await self._http.get(f"{promise.path}/{promise.run_id}")
        answer.raise_for_status()
        run: dict[str, object] = answer.json()
        return run
