"""What a client of the workflow WebSocket may rely on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

from scripts.smoke.target import REQUEST_SECONDS, Failed, Skipped, Target, expect

ENDS = ("WorkflowCompleted", "WorkflowError", "WorkflowPaused", "WorkflowCancelled")
OPEN_SECONDS = 20


def greets_and_authenticates(target: Target) -> str:
    """``connected`` comes without being asked for; only the key lets a client act."""
    with _connection(target) as socket:
        hello = _receive(socket)
        expect(hello.get("event") == "connected", f"the first message is {hello}")
        if not hello.get("requires_auth"):
            expect(target.key is None, "the WebSocket takes everybody, though a KEY is given")
            return "connected; no key is required"
        refused = _ask(socket, action="ping")
        expect(refused.get("event") == "auth_required", f"a client without the key gets {refused}")
        _authenticate(socket, target)
        expect(_ask(socket, action="ping").get("event") == "pong", "no pong")
    return "connected, auth_required, authenticated"


def follows_and_rejoins(target: Target) -> str:
    """A workflow's events as they happen, and what was missed, on another connection."""
    if target.workflow is None:
        raise Skipped("the stack has no workflow")
    message = "[slow 100ms] one two three" if target.obeys else "one two three"
    about = {"workflow_id": target.workflow, "session_id": target.run(message)["session_id"]}
    with _connection(target) as socket:
        _enter(socket, target)
        told = _until_the_end(socket, {"action": "start-workflow", **about, "message": message})
    indexes = [each["event_index"] for each in told if "event_index" in each]
    expect(told[-1]["event"] in ("WorkflowCompleted", "WorkflowPaused"), f"the run ends with {told[-1]}")
    expect(indexes == sorted(set(indexes)), f"the indexes are {indexes}")
    with _connection(target) as socket:
        _enter(socket, target)
        rejoin = {"run_id": told[0]["run_id"], "last_event_index": indexes[0]}
        again = _until_the_end(socket, {"action": "reconnect", **about, **rejoin})
    missed = [each["event_index"] for each in again if "event_index" in each]
    expect(again[0]["event"] == "replay", f"reconnecting gave {again[0]}")
    expect(missed[-1:] == indexes[-1:] and missed[0] > indexes[0], f"{indexes} were sent, and again {missed}")
    return f"{len(told)} messages, and {len(again)} on another connection"


@contextmanager
def _connection(target: Target) -> Iterator[ClientConnection]:
    if target.websocket is None:
        raise Failed("GET /info names no websocket_url")
    # Without a bound on what waits to be read: with one, closing would wait behind unread messages.
    with connect(target.websocket, open_timeout=OPEN_SECONDS, max_queue=None) as socket:
        yield socket


def _enter(socket: ClientConnection, target: Target) -> None:
    if _receive(socket).get("requires_auth"):
        _authenticate(socket, target)


def _authenticate(socket: ClientConnection, target: Target) -> None:
    answer = _ask(socket, action="authenticate", token=target.key or "")
    expect(answer.get("event") == "authenticated", f"authenticate gave {answer}")


def _until_the_end(socket: ClientConnection, action: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages that an action brings, up to the end of its run."""
    socket.send(json.dumps(action))
    messages = [_receive(socket)]
    while messages[-1].get("event") not in ENDS:
        expect(messages[-1].get("event") not in ("error", "auth_required"), f"the action gave {messages[-1]}")
        messages.append(_receive(socket))
    return messages


def _ask(socket: ClientConnection, **action: str) -> dict[str, Any]:
    socket.send(json.dumps(action))
    return _receive(socket)


def _receive(socket: ClientConnection) -> dict[str, Any]:
    """The next message, in either of the two forms that the server sends. A token is answered twice: the second time,
    with the user, says nothing more."""
    while True:
        text = socket.recv(REQUEST_SECONDS)
        message: dict[str, Any] = json.loads(str(text).split("\ndata: ", 1)[-1])
        if not (message.get("event") == "authenticated" and "user_id" in message):
            return message
