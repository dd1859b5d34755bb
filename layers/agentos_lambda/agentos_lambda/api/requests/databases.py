"""Which database a request means. There is one, under the name that ``GET /config`` gives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Query

from agentos_lambda.api.errors import ApiError
from agentos_lambda.runs.catalog import Catalog
from agentos_lambda.runs.errors import NotFound


def known_database(catalog: Catalog, domain: str) -> Callable[..., Awaitable[None]]:
    """A dependency of routes with ``db_id`` and ``table``, of a domain of ``GET /config`` such as ``session``.

    Raises ``NotFound`` in AgentOS's words, and a 400 for a table without a database.
    """

    async def check(
        db_id: Annotated[str | None, Query(description="The id of the database")] = None,
        table: Annotated[str | None, Query(description="The table in it")] = None,
    ) -> None:
        if table and not db_id:
            raise ApiError(400, "The db_id query parameter is required when passing a table")
        if not db_id:
            return
        served = [each for each in catalog.os_config().get(domain, {}).get("dbs", ()) if each["db_id"] == db_id]
        if not served:
            raise NotFound(f"No database found with id '{db_id}'")
        if table and not any(table in each.get("tables", ()) for each in served):
            raise NotFound(f"No database with id '{db_id}' has table '{table}'")

    return check
