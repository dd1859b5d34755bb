"""An app over the memory store and a scripted engine, asked over ASGI."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from secrets import token_bytes
from typing import Any, cast

import httpx
from fastapi import APIRouter, FastAPI
from starlette.types import Receive, Scope, Send

from agentos_lambda.api.app import create_app
from agentos_lambda.api.context import Os, Services
from agentos_lambda.api.openapi.build_document import build_document
from agentos_lambda.api.routes.accounts import account_router
from agentos_lambda.api.routes.discovery import discovery_router
from agentos_lambda.api.routes.kinds import kind_router
from agentos_lambda.api.routes.memories import memory_router
from agentos_lambda.api.routes.not_served import not_served_router
from agentos_lambda.api.routes.optimize import optimize_router
from agentos_lambda.api.routes.session_media import session_media_router
from agentos_lambda.api.routes.session_runs import session_run_router
from agentos_lambda.api.routes.sessions import session_router
from agentos_lambda.api.routes.usage import usage_router
from agentos_lambda.identity.accounts.known import KnownAccounts
from agentos_lambda.identity.accounts.service import AccountService
from agentos_lambda.identity.authority import Authority, Tokens
from agentos_lambda.memories.optimizing import MemoryOptimizer
from agentos_lambda.memories.service import MemoryService
from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.catalog import Component
from agentos_lambda.runs.model import Continuation, RunInput
from agentos_lambda.sessions.service import SessionService
from agentos_lambda.stores.memory import MemoryAccounts, MemoryStore
from agentos_lambda.usage.service import UsageService
from tests.memories.joiner import Joiner
from tests.runs.world import OneOfEach, World

document = cache(build_document)

NAMES = {Kind.AGENT: "assistant", Kind.TEAM: "research-team", Kind.WORKFLOW: "story-workflow"}


class SmallCatalog(OneOfEach):
    """One component of each kind."""

    def all(self, kind: Kind) -> Sequence[Component]:
        name = NAMES[kind]
        entry = {"id": name, "name": name.title()}
        return [
            Component(
                kind, name, name.title(), 3, entry, {**entry, "listed": True}, {**entry, "detail": True}, ("Hi!",)
            )
        ]

    def find(self, kind: Kind, component_id: str) -> Component | None:
        return next((found for found in self.all(kind) if found.id == component_id), None)


class Links:
    """Names what it would lend."""

    def link(self, session_id: str, content: bytes, media_type: str) -> str:
        return f"https://bucket.test/{session_id}/{len(content)}/{media_type}"


_asked: ContextVar[Api] = ContextVar("asked")


class _Part:
    """A part of whichever ``Api`` is asked just now: one app serves all of them, since it takes long to make."""

    def __init__(self, of: Callable[[Api], object]) -> None:
        self._of = of

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of(_asked.get()), name)


@cache
def _app(origins: tuple[str, ...]) -> FastAPI:
    clock: Any = _Part(lambda api: api.world.clock)
    intake: Any = _Part(lambda api: api.world.intake)
    runs: Any = _Part(lambda api: api.world.runs)
    authority: Any = _Part(lambda api: api.authority)
    services = Services(Os("os", "Test OS"), SmallCatalog(), clock, authority, origins)
    router = APIRouter()
    router.include_router(discovery_router(services, document))
    for kind in Kind:
        router.include_router(kind_router(kind, services.catalog, intake, runs, clock))
    sessions: Any = _Part(lambda api: api.sessions)
    router.include_router(session_router(services.catalog, sessions))
    router.include_router(session_run_router(services.catalog, sessions))
    router.include_router(session_media_router(services.catalog, sessions, Links()))
    memories: Any = _Part(lambda api: api.memories)
    router.include_router(memory_router(services.catalog, memories))
    accounts: Any = _Part(lambda api: api.account_service)
    router.include_router(account_router(accounts))
    optimizer: Any = _Part(lambda api: api.optimizer)
    router.include_router(optimize_router(services.catalog, optimizer, clock))
    usage: Any = _Part(lambda api: api.usage)
    router.include_router(usage_router(usage))
    router.routes.extend(not_served_router().routes)
    return create_app(router, services)


@dataclass
class Api:
    """All routes, and what is behind them."""

    world: World = field(default_factory=World)
    key: str | None = None
    origins: tuple[str, ...] = ()
    summarizer: Joiner = field(default_factory=Joiner)
    tokens: Tokens | None = None
    """Where tokens are configured: what verifies them."""

    def __post_init__(self) -> None:
        self.read_key: Callable[[], str | None] = lambda: self.key
        world = self.world
        self.accounts = MemoryAccounts()
        known = KnownAccounts(self.accounts.find, world.clock)
        self.account_service = AccountService(
            self.accounts, world.clock, random_bytes=token_bytes, revoked=known.forget
        )
        self.authority = Authority(
            self._current_key, world.clock, tokens=self.tokens, accounts=known, takes_key=False, isolates_users=True
        )
        self.sessions = SessionService(world.store, world.queue, world.clock, new_id=world.new_id)
        self.usage = UsageService(cast(MemoryStore, world.store), world.clock)
        self.memories = MemoryService(world.store, world.clock, new_id=world.new_id)
        self.optimizer = MemoryOptimizer(world.store, lambda: self.summarizer, world.clock, new_id=world.new_id)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://test")

    def _current_key(self) -> str | None:
        return self.read_key()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The app, asked about this world."""
        token = _asked.set(self)
        try:
            await _app(self.origins)(scope, receive, send)
        finally:
            _asked.reset(token)

    @property
    def engine_inputs(self) -> list[RunInput | Continuation]:
        return [run.request.work for run in self.world.engine.runs]
