"""An app over the memory store and a scripted engine, asked over ASGI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import httpx
from fastapi import APIRouter, FastAPI

from agentos_lambda.api.app import create_app
from agentos_lambda.api.context import Os, Services
from agentos_lambda.api.openapi.build_document import build_document
from agentos_lambda.api.routes.discovery import discovery_router
from agentos_lambda.api.routes.kinds import kind_router
from agentos_lambda.protocol.values import JsonObject, Kind
from agentos_lambda.runs.model import Component, Continuation, RunInput
from tests.runs.world import World

document = cache(build_document)

NAMES = {Kind.AGENT: "assistant", Kind.TEAM: "research-team", Kind.WORKFLOW: "story-workflow"}


class SmallCatalog:
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

    def models(self) -> Sequence[JsonObject]:
        return [{"id": "demo", "provider": "Demo"}]

    def os_config(self) -> JsonObject:
        return {"databases": []}

    def engine_version(self) -> str:
        return "3.1.10"


@dataclass
class Api:
    """All routes in one app, and what is behind them."""

    world: World = field(default_factory=World)
    key: str | None = None
    origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.services = Services(Os("os", "Test OS"), SmallCatalog(), self.world.clock, lambda: self.key, self.origins)
        catalog = self.services.catalog
        router = APIRouter()
        router.include_router(discovery_router(self.services, document))
        for kind in Kind:
            router.include_router(kind_router(kind, catalog, self.world.intake, self.world.runs, self.world.clock))
        self.app: FastAPI = create_app(router, self.services)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://test")

    @property
    def engine_inputs(self) -> list[RunInput | Continuation]:
        return [run.request.work for run in self.world.engine.runs]
