"""Imports that cost a cold start less. What is left out here is made when somebody uses it, and is the same then."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from _typeshed.importlib import MetaPathFinderProtocol


@contextmanager
def without_collections() -> Iterator[None]:
    """Garbage is not collected within: what is imported stays, and every collection would go through it for nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def imported_for_good() -> Iterator[None]:
    """The same, and later collections leave out all that is there by then."""
    with without_collections():
        yield
        gc.freeze()


@contextmanager
def models_made_when_used() -> Iterator[None]:
    """Pydantic models whose classes are made within are built at their first use (pydantic's ``defer_build``).

    FastAPI has forty for the API document, which no function makes, and agno has those of features that a run may not
    use. A class takes its configuration over from its bases, and every model has this one. A ``model_rebuild()`` at the
    end of a module, which resolves names of classes further below, waits for the first use as well.
    """
    from pydantic import BaseModel  # noqa: PLC0415 - not every function has it

    rebuild = BaseModel.__dict__["model_rebuild"]

    def at_first_use(model: type[BaseModel], /, **options: Any) -> bool | None:
        return cast("bool | None", rebuild.__func__(model, **options)) if options else None

    BaseModel.model_config["defer_build"] = True
    BaseModel.model_rebuild = classmethod(at_first_use)  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        BaseModel.model_rebuild = rebuild  # type: ignore[method-assign]
        del BaseModel.model_config["defer_build"]


@contextmanager
def without_pydantic_1() -> Iterator[None]:
    """``pydantic.v1`` cannot be imported by this thread within, unless somebody has it already.

    FastAPI looks whether a parameter is one of its models, and takes an ``ImportError`` for no. None of ours is. Other
    threads may be importing components that want it.
    """
    finder: MetaPathFinderProtocol = _WithoutPydantic1(get_ident())
    # New lists: other threads may be looking through the old one.
    sys.meta_path = [finder, *sys.meta_path]
    try:
        yield
    finally:
        sys.meta_path = [each for each in sys.meta_path if each is not finder]


class _WithoutPydantic1:
    """A finder of modules: https://docs.python.org/3/reference/import.html#the-meta-path."""

    def __init__(self, thread: int) -> None:
        self._thread = thread

    def find_spec(self, fullname: str, _path: object = None, _target: object = None, /) -> None:
        """Raises ``ImportError`` for the one module, and knows no other."""
        if fullname == "pydantic.v1" and get_ident() == self._thread:
            raise ModuleNotFoundError(f"{fullname} is left out", name=fullname)
