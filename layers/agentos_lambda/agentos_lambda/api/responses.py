"""Responses of which mypy knows the content, and routes that send them as they are."""

from collections.abc import Callable
from types import GenericAlias
from typing import Any, Generic, TypeVar

from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

T = TypeVar("T")


class Answer(JSONResponse, Generic[T]):
    """JSON in the form of ``T``, one of the types of ``api.answers``."""

    __class_getitem__: Any = classmethod(GenericAlias)  # costs nothing: only the build looks at the type

    def __init__(self, content: T, status_code: int = 200) -> None:
        super().__init__(content, status_code)


class Accepted(Answer[T]):
    """A 202: what becomes of the request is not known yet."""

    def __init__(self, content: T) -> None:
        super().__init__(content, 202)


class TypedRoute(APIRoute):
    """A route whose return type is there for mypy and the API document: FastAPI would make a serializer of it."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **{**options, "response_model": None})
