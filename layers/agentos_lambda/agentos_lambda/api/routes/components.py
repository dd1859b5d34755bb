"""The routes that describe agents, teams and workflows without running them."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import APIRouter, Depends, Path, Request

from agentos_lambda.api.responses import Answer, TypedRoute
from agentos_lambda.api.scope import principal_of
from agentos_lambda.identity.permissions import may_see
from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.catalog import Catalog, Component
from agentos_lambda.runs.errors import NotFound

if TYPE_CHECKING:
    from agentos_lambda.api import answers


def known_component(kind: Kind, catalog: Catalog) -> Callable[[str], Awaitable[Component]]:
    """A dependency of routes with ``{agent_id}``, ``{team_id}`` or ``{workflow_id}``: the component, or ``NotFound`` in
    AgentOS's words."""

    async def find(
        component_id: Annotated[str, Path(alias=f"{kind}_id", description=f"The id of one of the {kind}s")],
    ) -> Component:
        component = catalog.find(kind, component_id)
        if component is None:
            raise NotFound(f"{kind.label} not found")
        return component

    return find


def component_path(kind: Kind) -> str:
    """The path of one component: ``/agents/{agent_id}``."""
    return f"/{kind.plural}/{{{kind}_id}}"


def component_router(kind: Kind, catalog: Catalog) -> APIRouter:
    """``GET /{kind}`` and ``GET /{kind}/{id}``."""
    router = APIRouter(tags=[kind.plural.capitalize()], route_class=TypedRoute)
    Known = Annotated[Component, Depends(known_component(kind, catalog))]  # noqa: N806 - a type

    @router.get(
        f"/{kind.plural}",
        summary=f"List the {kind.plural}",
        operation_id=f"get_{kind.plural}",
        response_description=f"All {kind.plural}",
    )
    async def list_components(request: Request) -> Answer["list[answers.ComponentEntry]"]:
        """Those that the caller may read."""
        principal = principal_of(request.scope)
        seen = [component.listed for component in catalog.all(kind) if may_see(principal, kind, component.id)]
        return Answer(cast("list[answers.ComponentEntry]", seen))

    @router.get(
        component_path(kind),
        summary=f"Describe one {kind}",
        operation_id=f"get_{kind}",
        response_description=f"The {kind}",
    )
    async def describe_component(component: Known) -> Answer["answers.ComponentEntry"]:
        return Answer(cast("answers.ComponentEntry", component.detail))

    return router
