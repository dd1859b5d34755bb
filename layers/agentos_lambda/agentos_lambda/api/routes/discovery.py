"""What there is: the routes of the config function. None of them touches a store or imports an engine."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, cast

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from agentos_lambda import __version__
from agentos_lambda.api.context import Os, Services
from agentos_lambda.api.responses import Answer, TypedRoute
from agentos_lambda.api.routes.pages import add_pages
from agentos_lambda.api.scope import prefix
from agentos_lambda.identity.authority import AuthMode
from agentos_lambda.protocol.values import JsonObject, Kind

if TYPE_CHECKING:
    from agentos_lambda.api import answers
    from agentos_lambda.runs.catalog import Catalog


def discovery_router(services: Services, document: Callable[[], JsonObject]) -> APIRouter:
    """``/``, ``/health``, ``/info``, ``/config``, ``/models``, and the API document that ``document`` gives."""
    router = APIRouter(tags=["Discovery"], route_class=TypedRoute)
    _add_about(router, services)
    _add_components(router, services.os, services.catalog)
    add_pages(router, services.os.name, document)
    return router


def _add_about(router: APIRouter, services: Services) -> None:
    started = datetime.fromtimestamp(services.clock.now() / 1000, UTC).isoformat().replace("+00:00", "Z")

    @router.get(
        "/", summary="Name, version and links", operation_id="get_home", response_description="Where things are"
    )
    async def home(request: Request) -> Answer["answers.Home"] | RedirectResponse:
        """A browser is redirected to the page."""
        root = prefix(request.scope)
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(f"{root}/chat", headers={"Vary": "Accept"})
        return Answer(_home(services.os, root))

    @router.get(
        "/health", summary="Whether the API answers", operation_id="health_check", response_description="It does"
    )
    async def health() -> Answer["answers.Health"]:
        return Answer({"status": "ok", "instantiated_at": started})

    @router.get(
        "/info",
        summary="Counts, versions and how to authenticate",
        operation_id="get_info",
        response_description="About this OS",
    )
    async def info() -> Answer["answers.Info"]:
        authority = services.authority
        mode = await asyncio.to_thread(authority.mode)
        isolated = authority.isolates_users
        return Answer(_info(services.os, services.catalog, auth_mode=mode, user_isolation=isolated))


def _add_components(router: APIRouter, os: Os, catalog: "Catalog") -> None:
    # The components do not change while the process lives.
    config_as_json = cache(lambda: bytes(Answer(_config(os, catalog)).body))

    @router.get("/config", summary="The whole OS", operation_id="get_config", response_description="All of it")
    async def config() -> Answer["answers.Config"]:
        return Answer.rendered(config_as_json())

    @router.get(
        "/models",
        summary="The models of all agents and teams",
        operation_id="get_models",
        response_description="Each model once",
    )
    async def models() -> Answer["list[answers.Model]"]:
        return Answer(_models(catalog))


def _home(os: Os, root: str) -> "answers.Home":
    return {
        "name": os.name,
        "version": __version__,
        "health": f"{root}/health",
        "info": f"{root}/info",
        "docs": f"{root}/docs",
        "chat": f"{root}/chat",
    }


def _info(os: Os, catalog: "Catalog", *, auth_mode: AuthMode, user_isolation: bool) -> "answers.Info":
    return {
        "os_id": os.id,
        "name": os.name,
        "os_version": __version__,
        "agno_version": catalog.engine_version(),
        "agent_count": len(catalog.all(Kind.AGENT)),
        "team_count": len(catalog.all(Kind.TEAM)),
        "workflow_count": len(catalog.all(Kind.WORKFLOW)),
        "mcp": {"enabled": False, "path": None, "oauth": None, "tool_run_endpoint": False},
        "auth_mode": auth_mode,
        "user_isolation": user_isolation,
        "websocket_url": os.websocket_url,
    }


def _config(os: Os, catalog: "Catalog") -> "answers.Config":
    kinds = {kind: catalog.all(kind) for kind in Kind}
    components = [component for listed in kinds.values() for component in listed]
    config: answers.Config = {
        "os_id": os.id,
        "available_models": _models(catalog),
        "chat": {"quick_prompts": {each.id: list(each.quick_prompts) for each in components if each.quick_prompts}},
        "agents": [component.config for component in kinds[Kind.AGENT]],
        "teams": [component.config for component in kinds[Kind.TEAM]],
        "workflows": [component.config for component in kinds[Kind.WORKFLOW]],
        "interfaces": [],
        "company": None,
    }
    if os.description:
        config["description"] = os.description
    return cast("answers.Config", {**catalog.os_config(), **config})


def _models(catalog: "Catalog") -> "list[answers.Model]":
    return cast("list[answers.Model]", catalog.models())
