"""Functions that look back: those whose code names what agno gives them the earlier runs of a session by.

A function that leaves this to another one is not found out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import CodeType
from typing import Any

_NAMES = frozenset(
    {
        # of the input of a workflow's step
        "workflow_session", "get_workflow_history", "get_workflow_history_context",
        # of an agent, a team or a workflow
        "aget_session", "aget_session_messages", "aget_chat_history", "aget_run_output", "aget_last_run_output",
    }
)  # fmt: skip
"""Attributes and methods (agno 3.1)."""


def looks_back(function: Callable[..., Any]) -> bool:
    """Whether the function may look at earlier runs of its session."""
    return any(not _NAMES.isdisjoint(code.co_names) for code in _codes(function))


def _codes(function: Any) -> Iterator[CodeType]:
    """The code of the function, of what it wraps, and of the functions within it."""
    if isinstance(function, partial):
        yield from _codes(function.func)
    elif hasattr(function, "__code__"):
        yield from _with_inner(function.__code__)
    elif not isinstance(function, type) and hasattr(type(function).__call__, "__code__"):
        yield from _with_inner(type(function).__call__.__code__)
    if hasattr(function, "__wrapped__"):
        yield from _codes(function.__wrapped__)


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_inner(constant)
