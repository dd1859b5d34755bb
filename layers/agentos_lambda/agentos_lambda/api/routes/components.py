"""The routes that tell of agents, teams and workflows without running them."""

from collections.abc import Callable

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.errors import NotFound
from agentos_lambda.runs.model import Component
from agentos_lambda.runs.ports import Catalog


def known_component(kind: Kind, catalog: Catalog) -> Callable[[str], Component]:
    """A dependency of routes with ``{component_id}``: the component, or ``NotFound`` in AgentOS's words."""

    def find(component_id: str) -> Component:
        component = catalog.find(kind, component_id)
        if component is None:
            raise NotFound(f"{kind.label} not found")
        return component

    return find


def component_router(kind: Kind, catalog: Catalog) -> APIRouter:
    """``GET /{kind}`` and ``GET /{kind}/{id}``."""
    router = APIRouter(prefix=f"/{kind.plural}", tags=[kind.plural.capitalize()])
    find = known_component(kind, catalog)

    @router.get("", summary=f"List the {kind.plural}", operation_id=f"get_{kind.plural}")
    def list_components() -> Response:
        return JSONResponse([component.listed for component in catalog.all(kind)])

    @router.get("/{component_id}", summary=f"Describe one {kind}", operation_id=f"get_{kind}")
    def describe_component(component_id: str) -> Response:
        return JSONResponse(find(component_id).detail)

    return router
