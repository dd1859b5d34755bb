"""The session and the user that a request names in its query."""

from typing import Annotated, TypeAlias

from fastapi import Depends, Query

from agentos_lambda.api.requests.fields import SessionId, UserIdText
from agentos_lambda.api.requests.parse import Asker

OfSession = Query(description="The id of a session")
OfUser = Query(description="The id of a user: what is another user's is not found")


async def named_in_query(
    session_id: Annotated[SessionId, OfSession] = None, user_id: Annotated[UserIdText | None, OfUser] = None
) -> Asker:
    """A dependency of routes."""
    return Asker(session_id, user_id)


NamedInQuery: TypeAlias = Annotated[Asker, Depends(named_in_query)]
