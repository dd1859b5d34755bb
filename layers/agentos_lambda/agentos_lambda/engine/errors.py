"""Why the engine can not be set up."""

from __future__ import annotations

from agentos_lambda.runs.errors import ComponentUnusable

REQUIREMENTS = "layers/components/requirements.txt"
"""Where packages stand that components import."""


class ComponentsError(ComponentUnusable):
    """The components can not be had. The text is one line for their author: file, line where known, cause."""
