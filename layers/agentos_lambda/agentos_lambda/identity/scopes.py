"""Scopes: ``resource:action``, ``resource:<id>:action``, ``resource:*:action``, and an admin's (AgentOS 3.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

ADMIN = "agent_os:admin"

_LEGACY = {"system": "config"}
"""Older names of resources, in tokens that are still around."""

_ALL = "*"
_PARTS = (2, 3)
"""Of a scope: with and without an id."""


@dataclass(frozen=True, slots=True)
class Scopes:
    """What a principal may do. A text that is no scope grants nothing, and neither does ``*`` or ``agents:*``."""

    texts: tuple[str, ...]
    everything: bool = False
    """Without any scope: the holder of the security key, and everybody where the API is open."""
    _ids: frozenset[tuple[str, str, str]] = field(init=False, repr=False, compare=False)
    """Resource, id (``*`` for all) and action of each."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ids", frozenset(_parsed(self.texts)))

    @property
    def admin(self) -> bool:
        """Whether everything is granted."""
        return self.everything or ADMIN in self.texts

    def grant(self, scope: str, resource_id: str | None = None) -> bool:
        """Whether ``resource:action`` is granted; for one resource, if its id is given, else for all of them."""
        resource, action = scope.split(":")
        if self.admin or (resource, _ALL, action) in self._ids:
            return True
        return resource_id is not None and (resource, resource_id, action) in self._ids

    def ids(self, resource: str, action: str) -> frozenset[str] | None:
        """The ids for which the action is granted; None if it is for all."""
        if self.grant(f"{resource}:{action}"):
            return None
        return frozenset(each for of, each, what in self._ids if (of, what) == (resource, action))

    def hold(self, scope: str) -> bool:
        """Whether this very scope, or one that includes it, is granted."""
        if self.admin:
            return True
        return any(
            self.grant(f"{resource}:{action}", None if resource_id == _ALL else resource_id)
            for resource, resource_id, action in _parsed([scope])
        )

    def cover(self, other: Scopes) -> bool:
        """Whether all that ``other`` grants is granted."""
        return self.admin or (not other.admin and set(other.texts) <= set(self.texts))


def current_name(resource: str) -> str:
    """The name of a resource today."""
    return _LEGACY.get(resource, resource)


def _parsed(texts: Iterable[str]) -> Iterable[tuple[str, str, str]]:
    for text in texts:
        parts = text.split(":")
        if len(parts) in _PARTS and all(parts):
            resource_id = _ALL if len(parts) == min(_PARTS) else parts[1]
            yield current_name(parts[0]), resource_id, parts[-1]


EVERYTHING = Scopes((), everything=True)
