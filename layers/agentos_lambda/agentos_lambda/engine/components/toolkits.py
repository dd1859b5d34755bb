"""Which toolkits of components connect to a server by a package that is imported only then."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from agno.agent import Agent
from agno.team import Team

from agentos_lambda.engine.components.parts import parts
from agentos_lambda.engine.errors import REQUIREMENTS, ComponentsError

_MCP_PACKAGE = "fastmcp"


def is_mcp(tool: object) -> bool:
    """Whether it is a toolkit of an MCP server. Told by the class's name, as agno does: its module may not be there."""
    return any(each.__name__ == "MCPTools" for each in type(tool).__mro__)


def check_packages(components: list[object]) -> None:
    """Raises ``ComponentsError`` if a toolkit of the components needs a package that is missing."""
    for part in parts(components):
        tools: Any = part.tools if isinstance(part, Agent | Team) else None
        for tool in tools if isinstance(tools, list) else ():
            if is_mcp(tool) and getattr(tool, "session", None) is None and find_spec(_MCP_PACKAGE) is None:
                raise ComponentsError(
                    f"{part.id or part.name}: the toolkit {tool.name} needs the package {_MCP_PACKAGE}: "
                    f"add it to {REQUIREMENTS}"
                )
