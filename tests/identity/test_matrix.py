"""Every caller and every operation: the answers of the released AgentOS, or a difference that is named here.

What AgentOS answers is in ``agentos.json``, and ``agentos.py`` asks it. Operations are those of the API document and of
the table of actions, so a new one is in the matrix from its first day.
"""

from __future__ import annotations

import fnmatch
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from secrets import token_bytes
from typing import Any

import pytest

from agentos_lambda.identity.accounts.model import ServiceAccount, hash_of, id_of, new_token
from agentos_lambda.identity.accounts.ports import AccountStore
from agentos_lambda.identity.errors import Forbidden
from agentos_lambda.identity.operations import operation
from agentos_lambda.identity.permissions import demand
from agentos_lambda.identity.principal import Principal, PrincipalKind
from agentos_lambda.identity.scopes import Scopes
from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.clock import Clock
from agentos_lambda.websocket import actions
from tests.api.world import Api, document
from tests.identity.callers import CALLERS, KINDS, OF_ACCOUNTS, OF_TOKENS, filled, messages, sent, slug, token_of
from tests.identity.tokens import verifier
from tests.runs.world import World as RunsWorld
from tests.websocket.world import World as SocketWorld

pytestmark = pytest.mark.anyio

RELEASED: Mapping[str, Any] = json.loads(Path(__file__).with_name("agentos.json").read_text())
OPEN = {"GET /", "GET /health", "GET /info"}
REFUSED = (
    *("nobody", "wrong key", "key", "expired", "wrong audience", "wrong issuer"),
    *("expired account", "revoked account"),
)
"""Where tokens count, the key does not, unless it is asked for."""

ADMINS = ("admin", "privileged account")
DIFFERENCES: tuple[tuple[str, str, int, str], ...] = (
    *(
        ("POST */runs", who, 404, "an admin runs in a user's session as that user, whom it has to name")
        for who in ADMINS
    ),
    *(("POST */continue", who, 409, "an admin sees every run: this one has ended") for who in ADMINS),
    ("POST */continue", "user A", 409, "only a paused run can be continued"),
)
"""Operation, caller, our status, and why it is not AgentOS's."""

OTHERS = ("user B", "one component each", "any component", "account")
"""They may run the workflow, and are not user A."""
SOCKET_DIFFERENCES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("start-workflow", "user A"): ("", "the first event comes from a worker"),
    **{("start-workflow", who): ("error: Session not found", "as for HTTP") for who in ADMINS},
    ("reconnect", "user A"): ("replay", "AgentOS fails"),
    **{("reconnect", who): ("replay", "an admin sees every run") for who in ADMINS},
    **{
        ("continue-workflow", who): ("error: Run is not paused (status=COMPLETED)", "an admin sees every run")
        for who in ADMINS
    },
    **{("cancel-workflow", who): ("cancelling", "AgentOS has no such action") for who in ("user A", *ADMINS)},
    **{
        ("reconnect", who): ("error: Run RUN not found in buffer or database", "the words for a run that is not there")
        for who in OTHERS
    },
    **{("cancel-workflow", who): ("error: Run RUN not found", "AgentOS has no such action") for who in OTHERS},
    **{
        ("cancel-workflow", who): (
            "error: Insufficient permissions to cancel this workflow",
            "AgentOS has no such action",
        )
        for who in ("another component each", "reader")
    },
}
"""Action and caller, our first event, and why it is not AgentOS's."""


def operations() -> list[str]:
    paths = document()["paths"]
    return sorted(f"{method.upper()} {path}" for path, methods in paths.items() for method in methods)


@cache
def in_the_document() -> tuple[str, ...]:
    return tuple(operations())


def expected(asked: str, caller: str) -> int | None:
    """The status; None if the caller may do it, and nobody has said what becomes of it."""
    if asked in OPEN:
        return 200
    if caller in REFUSED:
        return 401
    for row, who, status, _ in DIFFERENCES:
        if caller == who and fnmatch.fnmatchcase(asked, row):
            return status
    if asked in RELEASED["http"]:
        return int(RELEASED["http"][asked].split()[RELEASED["callers"].index(caller)])
    return None if may(asked, caller) else 403


def may(asked: str, caller: str) -> bool:
    method, path = asked.split(" ")
    kind = next((kind for kind in Kind if path.startswith(f"/{kind.plural}/")), None)
    principal = Principal(PrincipalKind.USER, "x", Scopes(scopes_of(caller)))
    try:
        demand(principal, operation(method, path), KINDS[kind.plural] if kind else None)
    except Forbidden:
        return False
    return True


def scopes_of(caller: str) -> tuple[str, ...]:
    return OF_ACCOUNTS[caller] if caller in OF_ACCOUNTS else tuple(OF_TOKENS[caller]["scopes"])


def account_tokens(accounts: AccountStore, clock: Clock) -> dict[str, str]:
    """The tokens of service accounts that are in the store from now on, by their caller."""
    tokens = {}
    for caller, scopes in OF_ACCOUNTS.items():
        tokens[caller] = token = new_token(token_bytes)
        account = ServiceAccount(
            id_of(hash_of(token)), slug(caller), hash_of(token), token[:16], scopes, created_at=clock.now()
        )
        accounts.create(replace(account, expires_at=1) if caller == "expired account" else account)
        if caller == "revoked account":
            accounts.revoke(account, now=clock.now())
    return tokens


class Stack:
    """The whole API with tokens, and a run of user A of each kind."""

    def __init__(self) -> None:
        world = RunsWorld()
        self.api = Api(world, key="the key", tokens=verifier(world.clock, "HS256"))
        self.accounts = account_tokens(self.api.accounts, world.clock)
        self.runs: dict[str, str] = {}

    async def begun(self) -> Stack:
        if self.runs:
            return self
        for kind, name in KINDS.items():
            answer = await self.ask("user A", "POST", f"/{kind}/{name}/runs", f"/{kind}/{{id}}/runs")
            self.runs[kind] = answer.raise_for_status().json()["run_id"]
        return self

    def headers(self, caller: str) -> dict[str, str]:
        token = token_of(caller, self.api.world.clock, self.accounts)
        return {} if token is None else {"Authorization": f"Bearer {token}"}

    async def ask(self, caller: str, method: str, path: str, template: str) -> Any:
        return await self.api.client.request(method, path, headers=self.headers(caller), **sent(method, template))


@cache
def _shared() -> Stack:
    """For operations that change nothing."""
    return Stack()


@pytest.mark.parametrize("asked", in_the_document())
async def test_every_caller_gets_what_it_gets_from_agentos_or_the_difference_has_a_name(asked):
    method, path = asked.split(" ")
    stack = await (_shared() if method == "GET" else Stack()).begun()
    stack.api.world.clock.advance(60_000)  # the wrong tokens of the last operation count no more
    for caller in CALLERS:
        answer = await stack.ask(caller, method, filled(path, stack.runs), path)
        status = expected(asked, caller)
        if status is None:
            assert answer.status_code not in (401, 403), (asked, caller, answer.text)
        else:
            assert answer.status_code == status, (asked, caller, answer.text)


@pytest.mark.parametrize("action", sorted(actions._ACTIONS))
async def test_every_caller_of_the_websocket_gets_what_it_gets_from_agentos_or_the_difference_has_a_name(action):
    for place, caller in enumerate(CALLERS):
        world = socket_world()
        accounts = account_tokens(world.accounts, world.clock)
        run_id = await ended_run(world)
        connect(world, caller, "c-2", accounts)
        world.send(messages({"workflows": run_id})[action], "c-2")
        answer = next(iter(world.posts.got("c-2")), {})
        said = ": ".join(str(answer[name]) for name in ("event", "error") if name in answer).replace(run_id, "RUN")
        released = RELEASED["websocket"][action][place]
        assert said == SOCKET_DIFFERENCES.get((action, caller), (released, ""))[0], (action, caller)


def socket_world() -> SocketWorld:
    world = SocketWorld()
    world.tokens = verifier(world.clock, "HS256")
    world.handler = world.environment(lambda: "the key")
    return world


def connect(
    world: SocketWorld, caller: str, connection_id: str = "c-1", accounts: Mapping[str, str] | None = None
) -> None:
    """A connection that has presented what the caller has, and got no answers yet."""
    world.connect(connection_id)
    if (token := token_of(caller, world.clock, accounts)) is not None:
        world.send({"action": "authenticate", "token": token}, connection_id)
    world.posts.messages[connection_id].clear()


async def ended_run(world: SocketWorld) -> str:
    """A run of user A."""
    connect(world, "user A")
    run_id = world.start(session_id="workflows-of-a")
    await world.work()
    return run_id


def test_the_matrix_is_whole():
    cases = Counter((asked, caller) for asked in in_the_document() for caller in CALLERS)
    socket_cases = {(action, caller) for action in actions._ACTIONS for caller in CALLERS}
    assert RELEASED["callers"] == list(CALLERS)
    assert set(RELEASED["websocket"]) == set(actions._ACTIONS)
    assert len(cases) == len(in_the_document()) * 17
    assert len(socket_cases) == 5 * 17
    assert len(cases) + len(socket_cases) >= 32 * 17 + 5 * 17
    decided = [each for each in cases if expected(*each) is not None]
    assert len(decided) >= 0.9 * len(cases)


@pytest.mark.parametrize(("row", "caller", "status", "reason"), DIFFERENCES)
def test_a_difference_is_one(row, caller, status, reason):
    place = CALLERS.index(caller)
    released = [got.split()[place] for asked, got in RELEASED["http"].items() if fnmatch.fnmatchcase(asked, row)]
    assert set(released) - {str(status)}, reason
