"""The routes of memories. None of them imports an engine."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from fastapi import APIRouter, Depends, Path, Query, Request

from agentos_lambda.api.errors import ApiError
from agentos_lambda.api.requests.databases import known_database
from agentos_lambda.api.requests.fields import AskedUser
from agentos_lambda.api.requests.memory_forms import MemoryDeletionForm, MemoryForm
from agentos_lambda.api.requests.session_forms import read_form
from agentos_lambda.api.responses import Answer, NoContent, TypedRoute
from agentos_lambda.api.routes.paging import MAX_PAGE, Page, page_info
from agentos_lambda.api.routes.run_items import iso
from agentos_lambda.api.scope import caller_of, principal_of
from agentos_lambda.memories.listing import MemoryQuery
from agentos_lambda.memories.service import MemoryService
from agentos_lambda.runs.catalog import Catalog
from agentos_lambda.runs.memories import Memory, MemoryFilter

if TYPE_CHECKING:
    from agentos_lambda.api import answers

MemoryId: TypeAlias = Annotated[str, Path(description="The id of a memory")]
OfUser: TypeAlias = Annotated[AskedUser, Query(description="Only of this user")]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=MAX_PAGE, description="How many on a page")]


def memory_router(catalog: Catalog, memories: MemoryService) -> APIRouter:
    """``/memories``, ``/memory_topics`` and ``/user_memory_stats``."""
    database = Depends(known_database(catalog, "memory"))
    router = APIRouter(tags=["Memory"], route_class=TypedRoute, dependencies=[database])
    _add_list(router, memories)
    _add_overviews(router, memories)
    _add_memory(router, memories)
    _add_deletions(router, memories)
    return router


def _add_list(router: APIRouter, memories: MemoryService) -> None:
    @router.get(
        "/memories", summary="List memories", operation_id="get_memories", response_description="A page of them"
    )
    def get_memories(
        request: Request,
        *,
        user_id: OfUser = None,
        agent_id: Annotated[str | None, Query(description="Only those that this agent has made")] = None,
        team_id: Annotated[str | None, Query(description="Only those that this team has made")] = None,
        topics: Annotated[
            list[str] | None, Query(description="Topics with commas between them: all have to match")
        ] = None,
        search_content: Annotated[str | None, Query(description="Only those with this in their text")] = None,
        limit: Limit = 20,
        page: Page = 1,
        sort_by: Annotated[str, Query(description="A field of a memory")] = "updated_at",
        sort_order: Annotated[Literal["asc", "desc"], Query(description="`asc` or `desc`")] = "desc",
    ) -> Answer["answers.MemoryPage"]:
        """Those first that were changed last. Filters and other orders go through the newest 1,000 memories."""
        wanted = MemoryFilter(agent_id, team_id, _topics(topics), search_content or None)
        found = memories.list(MemoryQuery(_reader(request, user_id), wanted, limit, page, sort_by, sort_order == "asc"))
        listed = [shown_memory(memory) for memory in found.memories]
        return Answer({"data": listed, "meta": page_info(page, limit, found.total)})


def _add_overviews(router: APIRouter, memories: MemoryService) -> None:
    @router.get(
        "/memory_topics",
        summary="List the topics of memories",
        operation_id="get_memory_topics",
        response_description="Each topic once",
    )
    def get_memory_topics(request: Request, user_id: OfUser = None) -> Answer[list[str]]:
        """The topics of the newest 1,000 memories."""
        return Answer(list(memories.topics(_reader(request, user_id))))

    @router.get(
        "/user_memory_stats",
        summary="Count the memories of users",
        operation_id="get_user_memory_stats",
        response_description="A page of the users",
    )
    def get_user_memory_stats(
        request: Request, user_id: OfUser = None, limit: Limit = 20, page: Page = 1
    ) -> Answer["answers.MemoryStatsPage"]:
        """Users with memories, those first whose memories were changed last; at most 1,000."""
        owners = memories.owners(_reader(request, user_id))
        shown: list[answers.MemoryStats] = [
            {
                "user_id": owner.user_id,
                "total_memories": owner.total,
                "last_memory_updated_at": iso(owner.changed_at // 1000),
            }
            for owner in owners[(page - 1) * limit : page * limit]
        ]
        return Answer({"data": shown, "meta": page_info(page, limit, len(owners))})


def _add_memory(router: APIRouter, memories: MemoryService) -> None:
    @router.post(
        "/memories",
        summary="Create a memory",
        operation_id="create_memory",
        response_description="The memory",
        openapi_extra={"x-form": MemoryForm.__name__},
    )
    async def create_memory(request: Request) -> Answer["answers.Memory"]:
        """Remember something of a user: their next runs find it."""
        form = await read_form(request, MemoryForm)
        owner = form.owner(principal_of(request.scope))
        memory = await asyncio.to_thread(memories.create, owner, form.memory, form.topics or ())
        return Answer(shown_memory(memory))

    @router.get(
        "/memories/{memory_id}", summary="Get a memory", operation_id="get_memory", response_description="The memory"
    )
    def get_memory(request: Request, memory_id: MemoryId, user_id: OfUser = None) -> Answer["answers.Memory"]:
        return Answer(shown_memory(memories.get(memory_id, _reader(request, user_id))))

    @router.patch(
        "/memories/{memory_id}",
        summary="Change a memory",
        operation_id="update_memory",
        response_description="The memory",
        openapi_extra={"x-form": MemoryForm.__name__},
    )
    async def update_memory(request: Request, memory_id: MemoryId) -> Answer["answers.Memory"]:
        """Replace its text and its topics. Its owner stays. A memory that does not exist is created."""
        form = await read_form(request, MemoryForm)
        principal = principal_of(request.scope)
        memory = await asyncio.to_thread(
            memories.update,
            memory_id,
            form.owner(principal),
            form.memory,
            form.topics or (),
            isolated=principal.isolated,
        )
        return Answer(shown_memory(memory))


def _add_deletions(router: APIRouter, memories: MemoryService) -> None:
    @router.delete(
        "/memories/{memory_id}",
        summary="Delete a memory",
        operation_id="delete_memory",
        response_description="It is gone",
        status_code=204,
    )
    def delete_memory(request: Request, memory_id: MemoryId, user_id: OfUser = None) -> NoContent:
        """Deleting it twice changes nothing."""
        memories.delete([memory_id], _reader(request, user_id))
        return NoContent()

    @router.delete(
        "/memories",
        summary="Delete several memories",
        operation_id="delete_memories",
        response_description="They are gone",
        openapi_extra={"x-form": MemoryDeletionForm.__name__},
        status_code=204,
    )
    async def delete_memories(request: Request) -> NoContent:
        """As one by one."""
        form = await read_form(request, MemoryDeletionForm)
        await asyncio.to_thread(memories.delete, form.memory_ids, _reader(request, form.user_id))
        return NoContent()


def _reader(request: Request, user_id: str | None) -> str | None:
    """Whose memories a request is about that names this user; None for everybody's. Raises ``ApiError``."""
    caller = caller_of(request, user_id)
    if caller.isolated and caller.user_id is None:
        raise ApiError(403, "The token names no user")
    return caller.user_id


def _topics(given: list[str] | None) -> tuple[str, ...]:
    """As AgentOS reads them: the first parameter of this name counts."""
    return tuple(topic.strip() for topic in given[0].split(",") if topic.strip()) if given else ()


def shown_memory(memory: Memory) -> "answers.Memory":
    """The memory as an answer shows it."""
    return {
        "memory_id": memory.memory_id,
        "memory": memory.text,
        "topics": None if memory.topics is None else list(memory.topics),
        "agent_id": memory.agent_id,
        "team_id": memory.team_id,
        "user_id": memory.user_id,
        "updated_at": iso(memory.updated_at // 1000),
    }
