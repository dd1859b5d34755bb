"""Responses of which mypy knows the content, and routes that send them as they are."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from inspect import iscoroutinefunction, signature
from types import GenericAlias
from typing import Any, Generic, Self, TypeVar

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.routing import compile_path

from agentos_lambda.api.auth import OPEN_PATHS
from agentos_lambda.api.scope import principal_of
from agentos_lambda.api.threads import in_thread
from agentos_lambda.identity import audit
from agentos_lambda.identity.errors import Forbidden
from agentos_lambda.identity.operations import operation
from agentos_lambda.identity.permissions import demand
from agentos_lambda.lighter_imports import without_pydantic_1
from agentos_lambda.runs.errors import LimitReached, NotFound

T = TypeVar("T")

_READING = ("GET", "HEAD")


class Answer(JSONResponse, Generic[T]):
    """JSON in the form of ``T``, one of the types of ``api.answers``."""

    __class_getitem__: Any = classmethod(GenericAlias)  # costs nothing: only the build looks at the type

    def __init__(self, content: T, status_code: int = 200) -> None:
        super().__init__(content, status_code)

    @classmethod
    def rendered(cls, body: bytes) -> Self:
        """A 200 with this body, which is JSON already."""
        answer = cls.__new__(cls)
        Response.__init__(answer, body)
        return answer

    def render(self, content: Any) -> bytes:
        return content if isinstance(content, bytes) else super().render(content)


class Accepted(Answer[T]):
    """A 202: what becomes of the request is not known yet."""

    def __init__(self, content: T) -> None:
        super().__init__(content, 202)


class Created(Answer[T]):
    """A 201."""

    def __init__(self, content: T) -> None:
        super().__init__(content, 201)


class NoContent(Response):
    """A 204."""

    def __init__(self) -> None:
        super().__init__(status_code=204)


class Csv(Response):
    """A table as a file of this name."""

    media_type = "text/csv"

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@contextmanager
def refusals_noted(request: Request, what: str) -> Iterator[None]:
    """The audit trail has who is refused within, also for what is not there: it may be somebody else's."""
    try:
        yield
    except (Forbidden, NotFound, LimitReached) as refusal:
        audit.refused(principal_of(request.scope), what, str(refusal), **request.path_params)
        raise


def method_of(request: Request) -> str:
    """The method whose scope the request needs."""
    return "GET" if request.method == "HEAD" else request.method


class TypedRoute(APIRoute):
    """A route that demands what the table of operations says: one that is not in it cannot be made.

    FastAPI analyses its endpoint when the first request comes for it, and not when it is made: a function has up to
    forty routes, and most of its processes serve a few of them. Its return type is there for mypy and the API document:
    FastAPI would make a serializer of it.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if not iscoroutinefunction(endpoint):
            endpoint = in_thread(endpoint)
        methods = options.get("methods") or ["GET"]
        self._operations = {} if path in OPEN_PATHS else {method: operation(method, path) for method in methods}
        # What it is found by.
        self.path, self.endpoint, self.methods = path, endpoint, set(methods)
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self._analyse = partial(super().__init__, path, endpoint, **{**options, "response_model": None})

    def __getattr__(self, name: str) -> Any:
        """Everything else is there after FastAPI's own ``__init__``."""
        analyse = self.__dict__.pop("_analyse", None)
        if analyse is None:
            raise AttributeError(name)
        with without_pydantic_1():
            analyse()
        return getattr(self, name)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Whoever may not do this learns nothing else: 403 comes before 404 and 422, as in AgentOS."""
        handle = super().get_route_handler() if self._takes_something() else self._call

        async def guarded(request: Request) -> Response:
            if not self._operations:
                return await handle(request)
            demanded = self._operations[method_of(request)]
            component_id = request.path_params.get(f"{demanded.kind}_id") if demanded.kind else None
            principal, what = principal_of(request.scope), f"{request.method} {self.path}"
            with refusals_noted(request, what):
                demand(principal, demanded, component_id)
                response = await handle(request)
            if request.method not in _READING:
                audit.done(principal, what, status=response.status_code, **request.path_params)
            return response

        return guarded

    def _takes_something(self) -> bool:
        """Whether the request has anything that FastAPI would look for, on behalf of the endpoint."""
        return bool(self.dependencies or signature(self.endpoint).parameters)

    async def _call(self, _request: Request) -> Response:
        response: Response = await self.endpoint()
        return response
