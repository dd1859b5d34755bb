"""Tools that ask agno for media by the names of their parameters: those of the run, and of all earlier ones."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from agno.tools import Function, Toolkit

OF_THE_RUN = {"image": "images", "audio": "audios", "video": "videos", "file": "files"}
"""The parameter for each kind of media."""
OF_THE_SESSION = frozenset({"images", "audios", "videos"})
"""The parameters by which a tool gets the media of the session's earlier runs as well (agno 3.1)."""


def media_asked_for(tools: Any) -> set[str]:
    """The names of such parameters of all tools. Tools that a function gives at run time are not seen."""
    return {name for function in functions_of(tools) for name in OF_THE_RUN.values() if name in parameters_of(function)}


def functions_of(tools: Any) -> Iterator[Callable[..., Any]]:
    """The functions of all tools that are listed."""
    for tool in tools if isinstance(tools, list | tuple) else ():
        if isinstance(tool, Toolkit):
            yield from functions_of([*tool.functions.values(), *tool.async_functions.values()])
        elif isinstance(tool, Function):
            yield from functions_of([tool.entrypoint])
        elif callable(tool):
            yield tool


def parameters_of(function: Callable[..., Any]) -> Iterable[str]:
    """The names of a function's parameters; none if they cannot be told."""
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # some of what is written in C tells nothing
        return ()
