"""Imports that cost a cold start less. What is left out here is made when somebody uses it, and is the same then."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast


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
    """``pydantic.v1`` cannot be imported within, unless somebody has it already.

    FastAPI looks whether a parameter is one of its models, and takes an ``ImportError`` for no. None of ours is.
    """
    if "pydantic.v1" in sys.modules:
        yield
        return
    # https://docs.python.org/3/reference/import.html#the-module-cache
    sys.modules["pydantic.v1"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["pydantic.v1"]
