"""The callers of the matrix, and what each of them sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.identity.tokens import AUDIENCE, ISSUER, claims, signed

SECURITY_KEY = "thekeyofthestack"
KINDS = {"agents": "assistant", "teams": "research-team", "workflows": "story-workflow"}
RESOURCES = (*KINDS, "sessions", "memories", "metrics")
EVERYTHING = [f"{each}:{what}" for each in RESOURCES for what in ("read", "run", "write", "delete")] + ["config:read"]
ONE_EACH = [f"{kind}:{name}:{what}" for kind, name in KINDS.items() for what in ("read", "run")]
OTHERS = [f"{kind}:another:{what}" for kind in KINDS for what in ("read", "run")]
READ = [f"{each}:read" for each in RESOURCES]
WILDCARDS = [f"{kind}:*:{what}" for kind in KINDS for what in ("read", "run")]

OF_TOKENS: Mapping[str, Mapping[str, Any]] = {
    "expired": {"sub": "alice", "scopes": EVERYTHING, "exp": 1},
    "wrong audience": {"sub": "alice", "scopes": EVERYTHING, "aud": "another"},
    "wrong issuer": {"sub": "alice", "scopes": EVERYTHING, "iss": "https://other.example"},
    "user A": {"sub": "alice", "scopes": EVERYTHING},
    "user B": {"sub": "bob", "scopes": EVERYTHING},
    "one component each": {"sub": "carol", "scopes": ONE_EACH},
    "another component each": {"sub": "carol", "scopes": OTHERS},
    "reader": {"sub": "erin", "scopes": READ},
    "any component": {"sub": "dave", "scopes": WILDCARDS},
    "admin": {"sub": "root", "scopes": ["agent_os:admin"]},
}
OF_ACCOUNTS: Mapping[str, tuple[str, ...]] = {
    "account": tuple(EVERYTHING),
    "expired account": tuple(EVERYTHING),
    "revoked account": tuple(EVERYTHING),
    "privileged account": ("agent_os:admin",),
}
"""Service accounts and their scopes."""
_WITH_BODY = ("POST", "PATCH")
_DECISIONS = {"agents": "tools", "teams": "requirements", "workflows": "step_requirements"}
CALLERS = ("nobody", "wrong key", "key", *OF_TOKENS, *OF_ACCOUNTS)

SETTINGS = {"issuer": ISSUER, "audience": AUDIENCE, "algorithm": "HS256"}


def slug(caller: str) -> str:
    """The name of the service account of this caller."""
    return caller.replace(" ", "-")


def token_of(caller: str, clock: Any, accounts: Mapping[str, str] | None = None) -> str | None:
    """What the caller presents; None for nothing. ``accounts``: the tokens of service accounts, by their caller."""
    if accounts is not None and caller in accounts:
        return accounts[caller]
    if caller in OF_TOKENS:
        return signed(claims(clock, **OF_TOKENS[caller]), "HS256")
    return {"nobody": None, "wrong key": "wrong", "key": SECURITY_KEY}[caller]


def filled(path: str, run_ids: Mapping[str, str], *, session_id: str | None = None) -> str:
    """A path of the document, about what user A has: ``run_ids`` by kind, and its session unless another is given."""
    kind = next((kind for kind in KINDS if path.startswith(f"/{kind}")), "agents")
    values = {"run_id": run_ids[kind], "session_id": session_id or f"{kind}-of-a", "message_index": "0"}
    values |= {f"{each.removesuffix('s')}_id": name for each, name in KINDS.items()}
    return path.format_map(_Anything(values))


class _Anything(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "unknown"


def sent(method: str, path: str) -> dict[str, Any]:
    """Query and body that fit every operation of runs and sessions, as keywords of httpx."""
    kind = next((kind for kind in KINDS if path.startswith(f"/{kind}")), "agents")
    session = f"{kind}-of-a"
    if method not in _WITH_BODY:
        return {"params": {"session_id": session}}
    if path.startswith("/sessions"):
        return {"json": {"session_id": session, "session_name": "a name", "agent_id": KINDS["agents"]}}
    form = {"message": "hi", "stream": "false", "session_id": session}
    form[_DECISIONS[kind]] = "[]"
    return {"params": {"session_id": session}, "data": form}


def messages(run_ids: Mapping[str, str]) -> Mapping[str, Mapping[str, Any]]:
    """By action of the WebSocket, a message about the run of user A."""
    about = {"workflow_id": KINDS["workflows"], "session_id": "workflows-of-a", "run_id": run_ids["workflows"]}
    return {
        "ping": {"action": "ping"},
        "start-workflow": {"action": "start-workflow", "message": "hi", **about},
        "reconnect": {"action": "reconnect", **about},
        "continue-workflow": {"action": "continue-workflow", "step_requirements": [], **about},
        "cancel-workflow": {"action": "cancel-workflow", **about},
    }
