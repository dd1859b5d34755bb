"""Several routers as one."""

from fastapi import APIRouter


def joined(*routers: APIRouter) -> APIRouter:
    """A router with the routes of all of them.

    Not by ``include_router``: FastAPI would analyse every route again.
    """
    return APIRouter(routes=[route for router in routers for route in router.routes])
