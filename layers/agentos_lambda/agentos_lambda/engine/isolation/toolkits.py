"""Toolkits that connect to a server, such as ``MCPTools``: for one run, closed with it, and missed if they cannot.

agno 3.1 logs that a toolkit cannot connect, and goes on without its tools. It closes the connection when the first
agent that uses the toolkit ends, whoever else uses it, and not at all if it is cancelled while it connects. Here a run
has one connection of a toolkit for all its parts, and ends as an error without it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache, wraps
from typing import Any

import agno.agent._init as agent_init
import agno.team._init as team_init
import agno.utils.callables as factories

from agentos_lambda.engine.components.parts import AgnoComponent
from agentos_lambda.engine.components.toolkits import is_mcp
from agentos_lambda.engine.errors import ToolkitUnreachable

logger = logging.getLogger(__name__)

OPTIONAL_TOOLKITS = "optional_toolkits"
"""The key in a component's metadata by which it goes on without toolkits that cannot connect."""

_CLOSE_SECONDS = 2.0
"""A server may take so long to say goodbye. A task that goes on after it counts as left behind by the run."""


class Connections:
    """The connections of one run. ``failed`` is told of each toolkit that the run must not go on without."""

    def __init__(self, component: AgnoComponent, failed: Callable[[ToolkitUnreachable], None]) -> None:
        self._optional = _says_optional(component)
        self._failed = failed
        self._toolkits: dict[int, tuple[Any, asyncio.Lock]] = {}

    async def connect_all(self, tools: Any, part: Any) -> None:
        """Connect the MCP toolkits among the tools of this part. Raises ``ToolkitUnreachable``."""
        for tool in tools if isinstance(tools, list) else ():
            if is_mcp(tool):
                await self._connect(tool, part)

    async def _connect(self, toolkit: Any, part: Any) -> None:
        """Once for all parts of the run."""
        if toolkit.initialized and id(toolkit) not in self._toolkits:
            return  # by somebody else, who closes it
        _, lock = self._toolkits.setdefault(id(toolkit), (toolkit, asyncio.Lock()))
        async with lock:
            if not toolkit.initialized:
                try:
                    await toolkit.connect()
                except Exception:  # an edge: most toolkits log this themselves, and some raise it
                    logger.warning("the toolkit %s cannot connect", toolkit.name, exc_info=True)
        if not toolkit.initialized:
            self.miss(toolkit, part)

    def miss(self, toolkit: Any, part: Any) -> None:
        """Take note that a toolkit of this part could not connect. Raises ``ToolkitUnreachable``. Thread-safe."""
        error = ToolkitUnreachable(toolkit.name, str(part.id or part.name))
        if self._optional or _says_optional(part):
            logger.warning("%s: it goes on without", error)
            return
        self._failed(error)
        raise error

    async def close(self) -> None:
        """Close every connection, also one that was being made when the run was cancelled."""
        closing = [asyncio.create_task(_close(toolkit)) for toolkit, _ in self._toolkits.values()]
        self._toolkits.clear()
        if closing:
            await asyncio.wait(closing, timeout=_CLOSE_SECONDS)


async def _close(toolkit: Any) -> None:
    await toolkit.close()  # does nothing unless it is connected
    await toolkit.__aexit__(None, None, None)


_connections_of_run: ContextVar[Connections | None] = ContextVar("connections_of_run", default=None)


def note_connections(connections: Connections) -> None:
    """From now on toolkits connect by these, in the current context and in those that come of it."""
    _connections_of_run.set(connections)


@cache
def connect_toolkits_by_run() -> None:
    """Have agno connect the toolkits of this process by the run that they are used in."""
    for module, prefix in ((agent_init, ""), (team_init, "_")):
        for name, by_run in (("connect_mcp_tools", _mcp_by_run), ("connect_connectable_tools", _missing_none)):
            setattr(module, f"{prefix}{name}", by_run(getattr(module, f"{prefix}{name}")))
    factories.aresolve_callable_tools = _made_by_run(factories.aresolve_callable_tools)


def _mcp_by_run(connect: Any) -> Any:
    @wraps(connect)
    async def connect_by_run(part: Any) -> None:
        connections = _connections_of_run.get()
        if connections is None:
            await connect(part)
        else:
            await connections.connect_all(part.tools, part)

    return connect_by_run


def _made_by_run(resolve: Any) -> Any:
    """Toolkits that a function gives at run time: agno leaves out those that are not connected."""

    @wraps(resolve)
    async def resolve_by_run(part: Any, run_context: Any) -> None:
        await resolve(part, run_context)
        connections = _connections_of_run.get()
        if connections is not None:
            await connections.connect_all(run_context.tools, part)

    return resolve_by_run


def _missing_none(connect: Any) -> Any:
    """Toolkits of a database, say: agno gives each part its own, and closes them itself."""

    @wraps(connect)
    def connect_all(part: Any) -> None:
        connect(part)
        connections = _connections_of_run.get()
        if connections is None or not isinstance(part.tools, list):
            return
        for tool in part.tools:
            if getattr(tool, "requires_connect", False) and tool not in part._connectable_tools_initialized_on_run:  # noqa: SLF001
                connections.miss(tool, part)

    return connect_all


def _says_optional(component: Any) -> bool:
    return (getattr(component, "metadata", None) or {}).get(OPTIONAL_TOOLKITS) is True
