"""What memories need from outside. The guarantees of ``runs.ports`` hold here, too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from agentos_lambda.runs.memories import Memory, MemoryChange, MemoryOwner
from agentos_lambda.runs.ports import UserMemories


class MemoryDirectory(UserMemories, Protocol):
    """The memories of all users, by index. A method reads no more than it gives back.

    What it tells of one user is read consistently; what it tells of all users may be some moments old. A user whose id
    is empty has no memories.
    """

    def memory_count(self, user_id: str) -> int:
        """How many memories the user has."""

    def find_memory(self, memory_id: str, user_id: str | None) -> Memory | None:
        """The memory of this user, or of any user; None if there is none."""

    def newest_memories(self, user_id: str | None, *, limit: int, ascending: bool = False) -> Sequence[Memory]:
        """The memories of this user, or of all users, that were changed last, or first; in this order."""

    def users_with_memories(self, *, limit: int) -> Sequence[MemoryOwner]:
        """The users with memories, those first whose memories were changed last."""

    def change_memories(self, changes: Sequence[MemoryChange], *, now: int) -> bool:
        """Make these changes, all or none: none if one does not count any more. At most ``MAX_CHANGES`` of them, unless
        all are of one user."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What is said in place of several memories."""

    text: str
    topics: Sequence[str] | None
    agent_id: str | None
    team_id: str | None
    tokens_before: int
    """Of the texts of the memories, as the engine counts them."""
    tokens: int


Summarize = Callable[[Sequence[Memory]], Awaitable[Summary]]
"""Gives one text in place of these memories of one user. Raises ``ModelFailed``."""


class Summarizer(Protocol):
    """Has models say several memories in fewer words."""

    def summarizing(self, model: str | None) -> Summarize:
        """By this model (``provider:id``), or the deployment's. Raises ``InvalidRequest`` for what names none, and
        ``ModelFailed`` if it cannot be made."""
