"""Clients of runs of all kinds, started in all ways: they watch, drop out, come back, cancel, and remember."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import httpx
from websockets.asyncio.client import connect

from tests.soak.ledger import FINAL, Promise
from tests.soak.replay import DURABLE, Frame, is_durable

_PATHS = (
    "/agents/assistant/runs",
    "/agents/companion/runs",
    "/teams/newsroom/runs",
    "/workflows/letter/runs",
    f"/agents/{DURABLE}assistant/runs",
    f"/workflows/{DURABLE}letter/runs",
)
_MESSAGES = (
    "hello there, how are you today? [slow 40ms]",
    "a longer text that takes its time, word by word, until somebody has had enough of it [slow 150ms]",
    "add 2 and 3",
    "ask writer: a headline, please [slow 40ms]",
    "[fail out of ink]",
)
_CONTROL = frozenset({"catch_up", "replay", "subscribed"})
_POLL_SECONDS = 0.5
_SILENCE_SECONDS = 15
_SESSIONS = 12


class Client:
    """One of many. Chance decides what it does; the same seed decides the same."""

    def __init__(self, http: httpx.AsyncClient, chance: random.Random) -> None:
        self._http = http
        self._chance = chance

    async def start_a_run(self, promises: list[Promise]) -> Promise | None:
        """A run from its acceptance to the end of what its client waits for. What is not accepted is no promise.

        None if the client was never told of a run: over a WebSocket only the first event says that there is one.
        """
        way = self._chance.choice(_WAYS)
        promise = await _STARTS[way](self, promises)
        if promise is None:
            return None
        promise.way = way
        if way in ("background", "continued") and self._chance.random() < 0.2:
            await asyncio.sleep(self._chance.random() * 2)
            await self._cancel(promise)
        if promise.logged and self._chance.random() < 0.5:
            promise.watched = True
        return promise

    async def _background(self, promises: list[Promise]) -> Promise:
        path, message = self._chance.choice(_PATHS), self._chance.choice(_MESSAGES)
        answer = await self._post(path, message, background="true", stream="false")
        return _promised(promises, path, answer["run_id"], message)

    async def _foreground(self, promises: list[Promise]) -> Promise:
        path, message = self._chance.choice(_PATHS), self._chance.choice(_MESSAGES)
        answer = await self._post(path, message, stream="false")
        promise = _promised(promises, path, answer["run_id"], message)
        promise.hear(answer["status"])
        if answer["status"] == "RUNNING":  # it was handed over: its log begins there
            promise.begins_late = not is_durable(path)
            return promise
        promise.answer = answer["content"]
        promise.logged = is_durable(path)
        return promise

    async def _streamed(self, promises: list[Promise]) -> Promise:
        """The client may drop the connection. If it wants the events, it then comes back for the rest."""
        path, message = self._chance.choice(_PATHS), self._chance.choice(_MESSAGES)
        promise: Promise | None = None
        patience = self._patience()
        form = self._form(path, message, stream="true")
        async with self._http.stream("POST", path, data=form) as answer, aclosing(_events(answer)) as frames:
            async for frame in frames:
                promise = promise or _promised(promises, path, frame.event["run_id"], message)
                promise.take(frame)
                if len(promise.frames) == patience:
                    return promise
        if promise is None:
            raise RuntimeError("a stream without an event")
        promise.seen_out = promise.end_came
        return promise

    async def _over_a_websocket(self, promises: list[Promise]) -> Promise | None:
        """The same over a WebSocket. After a silence the client goes on over HTTP: the worker may have been killed."""
        path, message = "/workflows/letter/runs", self._chance.choice(_MESSAGES)
        promise: Promise | None = None
        patience = self._patience()
        url = str(self._http.base_url.copy_with(scheme="ws")).rstrip("/") + "/workflows/ws"
        async with connect(url, open_timeout=60, max_queue=None) as socket:
            start = {"action": "start-workflow", "workflow_id": "letter", "message": message}
            await socket.send(json.dumps(start))
            while promise is None or not (promise.end_came or len(promise.frames) == patience):
                try:
                    text = await asyncio.wait_for(socket.recv(), _SILENCE_SECONDS)
                except TimeoutError:
                    break
                event = json.loads(str(text).split("\ndata: ", 1)[-1])
                if event["event"] == "error":
                    raise RuntimeError(f"not accepted: {event}")
                if "event_index" in event:
                    promise = promise or _promised(promises, path, event["run_id"], message)
                    promise.take(Frame(event["event_index"], event))
        return promise

    async def _continued(self, promises: list[Promise]) -> Promise:
        path, message = "/agents/clerk/runs", 'call send_letter {"to": "Ada", "text": "Good morning!"}'
        accepted = await self._post(path, message, background="true", stream="false")
        promise = _promised(promises, path, accepted["run_id"], message)
        paused = await self._at_rest(promise)
        if paused["status"] != "PAUSED":
            return promise  # its worker was killed before
        form = {"tools": json.dumps([{**tool, "confirmed": True} for tool in paused["tools"]])}
        form["session_id"] = paused["session_id"]
        path += f"/{promise.run_id}/continue"
        if self._chance.random() < 0.5:
            answer = await self._http.post(path, data={**form, "background": "true", "stream": "false"})
            answer.raise_for_status()
            return promise
        async with self._http.stream("POST", path, data={**form, "stream": "true"}) as answer:
            answer.raise_for_status()
            async with aclosing(_events(answer)) as frames:
                async for frame in frames:
                    promise.hear_of(frame)
        return promise

    async def _at_rest(self, promise: Promise) -> dict[str, Any]:
        """The run, once it has paused or ended."""
        run = await self._get(promise)
        while run["status"] in ("PENDING", "RUNNING"):
            await asyncio.sleep(_POLL_SECONDS)
            run = await self._get(promise)
        return run

    def _patience(self) -> int | None:
        """After how many events it drops the connection; None if it does not."""
        return self._chance.randrange(1, 12) if self._chance.random() < 0.6 else None

    def _form(self, path: str, message: str, **fields: str) -> dict[str, str]:
        session = f"session-{self._chance.randrange(_SESSIONS)}-{path.split('/')[2]}"
        return {"message": message, "session_id": session, **fields}

    async def _post(self, path: str, message: str, **fields: str) -> dict[str, Any]:
        answer = await self._http.post(path, data=self._form(path, message, **fields))
        if answer.status_code not in (httpx.codes.OK, httpx.codes.ACCEPTED):
            raise RuntimeError(f"not accepted: {answer.status_code} {answer.text}")
        accepted: dict[str, Any] = answer.json()
        return accepted

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
        patience = self._patience()
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
            async with aclosing(_events(answer)) as frames:
                async for frame in frames:
                    yield frame

    async def _cancel(self, promise: Promise) -> None:
        answer = await self._http.post(f"{promise.path}/{promise.run_id}/cancel")
        answer.raise_for_status()
        told = answer.json()
        promise.cancel_acknowledged = bool(told["cancel_requested"])
        promise.hear(told["status"])

    async def _get(self, promise: Promise) -> dict[str, Any]:
        answer = await self._http.get(f"{promise.path}/{promise.run_id}")
        answer.raise_for_status()
        run: dict[str, Any] = answer.json()
        return run


_STARTS: dict[str, Callable[[Client, list[Promise]], Awaitable[Promise | None]]] = {
    "background": Client._background,
    "foreground": Client._foreground,
    "streamed": Client._streamed,
    "websocket": Client._over_a_websocket,
    "continued": Client._continued,
}
_WAYS = (*["background"] * 4, *_STARTS)
"""Most are background runs: those are the workers', who are killed."""


def _promised(promises: list[Promise], path: str, run_id: str, message: str) -> Promise:
    promises.append(Promise(path, run_id, told_to_fail=message.startswith("[fail")))
    return promises[-1]


async def _events(answer: httpx.Response) -> AsyncGenerator[Frame, None]:
    async for line in answer.aiter_lines():
        if line.startswith("data: "):
            event = json.loads(line.removeprefix("data: "))
            if event["event"] not in _CONTROL:
                yield Frame(event["event_index"], event)
