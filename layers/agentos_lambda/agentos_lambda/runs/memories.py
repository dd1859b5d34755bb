"""Memories of users: values, and the rule by which a change counts. All times are milliseconds since the epoch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agentos_lambda.protocol.values import Json, JsonObject

DEFAULT_USER = "default"
"""Whose memories a run has that names no user (AgentOS 3.1)."""

MAX_BYTES = 32 * 1024
"""Of a memory as JSON in UTF-8. So 50 changes, and what else a run leaves, fit into a transaction."""

MAX_CHANGES = 50
"""Of memories in one transaction: DynamoDB allows 100 items, and a commit has others."""

MAX_INPUT = 2_000
"""Characters that are kept of the message that a memory was made of. No request shows it."""

MAX_ID_BYTES = 512
"""Of a memory's id in UTF-8: models and clients make ids up, and a key of the store has room for so much."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Something remembered of a user. Its id is unique among the memories of that user."""

    user_id: str
    memory_id: str
    text: str
    created_at: int
    updated_at: int
    revision: str
    """Made by each change: the next change demands the revision that its maker has read."""
    topics: tuple[str, ...] | None = None
    agent_id: str | None = None
    team_id: str | None = None
    input: str | None = None
    """The message that it was made of."""
    feedback: str | None = None

    def to_json(self) -> JsonObject:
        return {
            "user_id": self.user_id,
            "memory_id": self.memory_id,
            "text": self.text,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "revision": self.revision,
            "topics": None if self.topics is None else list(self.topics),
            "agent_id": self.agent_id,
            "team_id": self.team_id,
            "input": self.input,
            "feedback": self.feedback,
        }

    @classmethod
    def from_json(cls, value: JsonObject) -> Memory:
        """The inverse of ``to_json``."""
        topics = value["topics"]
        return cls(**{**value, "topics": None if topics is None else tuple(topics)})


@dataclass(frozen=True, slots=True)
class MemoryChange:
    """A memory that is added, changed or removed."""

    user_id: str
    memory_id: str
    seen: str | None
    """The revision that the maker of the change has read; None if there was no such memory."""
    memory: Memory | None
    """The memory from now on; None if it is removed."""

    @property
    def growth(self) -> int:
        """How many memories more the user has after it."""
        return int(self.memory is not None) - int(self.seen is not None)

    def counts(self, there: Memory | None) -> bool:
        """Whether the memory is still as the maker has seen it. If it is not, it keeps its newer text."""
        return self.seen == (there.revision if there is not None else None)

    def to_json(self) -> JsonObject:
        return {
            "user_id": self.user_id,
            "memory_id": self.memory_id,
            "seen": self.seen,
            "memory": None if self.memory is None else self.memory.to_json(),
        }

    @classmethod
    def from_json(cls, value: JsonObject) -> MemoryChange:
        """The inverse of ``to_json``."""
        memory: Json = value["memory"]
        return cls(value["user_id"], value["memory_id"], value["seen"], memory and Memory.from_json(memory))


@dataclass(frozen=True, slots=True)
class MemoryOwner:
    """A user with memories."""

    user_id: str
    total: int
    changed_at: int
    """When the memories were changed last."""


@dataclass(frozen=True, slots=True)
class MemoryFilter:
    """Which memories are wanted: all that are not excluded by one of these."""

    agent_id: str | None = None
    team_id: str | None = None
    topics: tuple[str, ...] = ()
    """Each has to be one of the memory's topics, in upper or lower case."""
    search: str | None = None
    """A part of the text, in upper or lower case."""

    @property
    def takes_all(self) -> bool:
        return self == MemoryFilter()

    def takes(self, memory: Memory) -> bool:
        topics = {topic.casefold() for topic in memory.topics or ()}
        return (
            self.agent_id in (None, memory.agent_id)
            and self.team_id in (None, memory.team_id)
            and topics.issuperset(topic.casefold() for topic in self.topics)
            and (self.search is None or self.search.casefold() in memory.text.casefold())
        )


def is_too_large(memory: Memory) -> bool:
    """Whether there is no room for the memory."""
    return len(json.dumps(memory.to_json(), ensure_ascii=False).encode(errors="replace")) > MAX_BYTES


def is_memory_id(value: str) -> bool:
    """Whether a memory can have this id."""
    return 0 < len(value.encode(errors="replace")) <= MAX_ID_BYTES and value.isprintable()


def by_user(changes: Iterable[MemoryChange]) -> dict[str, Sequence[MemoryChange]]:
    """The changes of each user's memories."""
    found: dict[str, list[MemoryChange]] = {}
    for change in changes:
        found.setdefault(change.user_id, []).append(change)
    return dict(found)


def no_memories(user_id: str) -> Sequence[Memory]:  # noqa: ARG001
    """The memories of a user where nothing keeps any."""
    return ()
