"""What there is: the routes of the config function. None of them touches a store or imports an engine."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from agentos_lambda import __version__
from agentos_lambda.api.context import Services
from agentos_lambda.api.openapi.document import document_at
from agentos_lambda.api.paths import prefix
from agentos_lambda.api.routes.pages import redoc_page, swagger_page
from agentos_lambda.protocol.values import JsonObject, Kind


def discovery_router(services: Services) -> APIRouter:
    """``/``, ``/health``, ``/info``, ``/config``, ``/models`` and the API document."""
    router = APIRouter(tags=["Discovery"])
    os, catalog = services.os, services.catalog
    started = datetime.fromtimestamp(services.clock.now() / 1000, UTC).isoformat().replace("+00:00", "Z")

    @router.get("/", summary="Name, version and links", operation_id="get_home")
    def home(request: Request) -> Response:
        links = {name: f"{prefix(request.scope)}/{name}" for name in ("health", "info", "docs")}
        return JSONResponse({"name": os.name, "version": __version__, **links})

    @router.get("/health", summary="Whether the API answers", operation_id="health_check")
    def health() -> Response:
        return JSONResponse({"status": "ok", "instantiated_at": started})

    @router.get("/info", summary="Counts, versions and how to authenticate", operation_id="get_info")
    async def info() -> Response:
        key = await run_in_threadpool(services.key)
        counts = {f"{kind}_count": len(catalog.all(kind)) for kind in Kind}
        return JSONResponse(
            {
                "os_id": os.id,
                "name": os.name,
                "os_version": __version__,
                "agno_version": catalog.engine_version(),
                **counts,
                "mcp": {"enabled": False, "path": None, "oauth": None, "tool_run_endpoint": False},
                "auth_mode": "none" if key is None else "security_key",
                "user_isolation": False,
                "websocket_url": os.websocket_url,
            }
        )

    @router.get("/config", summary="The whole OS", operation_id="get_config")
    def config() -> Response:
        described: JsonObject = {"os_id": os.id, **({"description": os.description} if os.description else {})}
        components = [component for kind in Kind for component in catalog.all(kind)]
        prompts = {component.id: list(component.quick_prompts) for component in components if component.quick_prompts}
        lists = {kind.plural: [component.config for component in catalog.all(kind)] for kind in Kind}
        return JSONResponse(
            {
                **described,
                "available_models": list(catalog.models()),
                **catalog.os_config(),
                "chat": {"quick_prompts": prompts},
                **lists,
                "interfaces": [],
                "company": None,
            }
        )

    @router.get("/models", summary="The models of all agents and teams", operation_id="get_models")
    def models() -> Response:
        return JSONResponse(list(catalog.models()))

    @router.get("/openapi.json", include_in_schema=False)
    def openapi(request: Request) -> Response:
        return JSONResponse(document_at(prefix(request.scope)))

    @router.get("/docs", include_in_schema=False)
    def docs(request: Request) -> Response:
        return swagger_page(f"{prefix(request.scope)}/openapi.json", f"{os.name} - API")

    @router.get("/redoc", include_in_schema=False)
    def redoc(request: Request) -> Response:
        return redoc_page(f"{prefix(request.scope)}/openapi.json", f"{os.name} - API")

    return router
