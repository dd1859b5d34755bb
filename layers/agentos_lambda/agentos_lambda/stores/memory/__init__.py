"""Stores in the memory of one process: for tests, and as the shortest statement of what every store guarantees."""

from agentos_lambda.stores.memory.accounts import MemoryAccounts
from agentos_lambda.stores.memory.connections import MemoryConnections, MemoryFollowers
from agentos_lambda.stores.memory.counters import MemoryCounters
from agentos_lambda.stores.memory.queue import MemoryQueue
from agentos_lambda.stores.memory.store import MemoryStore

__all__ = ["MemoryAccounts", "MemoryConnections", "MemoryCounters", "MemoryFollowers", "MemoryQueue", "MemoryStore"]
