"""Pages of lists, as AgentOS 3.1 counts them."""

from typing import TYPE_CHECKING, Annotated, TypeAlias

from fastapi import Query

if TYPE_CHECKING:
    from agentos_lambda.api.answers import PageInfo

MAX_PAGE = 1_000
"""What one page of a list may hold at most."""

Page: TypeAlias = Annotated[int, Query(ge=1, le=2**31, description="Pages count from 1")]


def page_info(page: int, limit: int, total: int) -> "PageInfo":
    """What a list tells of itself beside its page."""
    return {
        "page": page,
        "limit": limit,
        "total_pages": -(-total // limit),
        "total_count": total,
        "search_time_ms": 0.0,
    }
