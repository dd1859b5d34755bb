"""Why the engine can not be set up."""

from __future__ import annotations


class ComponentsError(Exception):
    """The components can not be had. The text is one line for their author: file, line where known, cause."""
