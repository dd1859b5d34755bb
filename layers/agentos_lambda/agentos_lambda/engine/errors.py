"""Errors of the engine, and of the components in it."""

from __future__ import annotations

from agentos_lambda.runs.errors import ComponentUnusable

REQUIREMENTS = "layers/components/requirements.txt"
"""Where packages stand that components import."""


class ComponentExited(Exception):
    """A component's code asked for the end of the process, as ``sys.exit`` and command-line parsers do."""

    def __init__(self, asked: SystemExit | KeyboardInterrupt) -> None:
        super().__init__(f"{type(asked).__name__}: {asked}")


class ToolkitUnreachable(Exception):
    """A toolkit of a component has no connection to its server. The text is fit for a caller's eyes."""

    def __init__(self, toolkit: str, component: str) -> None:
        super().__init__(f"The toolkit {toolkit} of {component} cannot be reached")


class ComponentsError(ComponentUnusable):
    """The components cannot be loaded. The text is one line for their author: file, line where known, cause."""
