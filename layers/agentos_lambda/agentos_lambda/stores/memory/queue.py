"""A queue in the memory of one process."""

from __future__ import annotations

from collections import deque

from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.sessions.model import Deletion


class MemoryQueue:
    """Implements ``runs.ports.RunQueue`` and ``sessions.ports.DeletionQueue``.

    ``waiting`` and ``deletions`` are what was sent, oldest first.
    """

    def __init__(self) -> None:
        self.waiting: deque[str] = deque()
        self.deletions: deque[Deletion] = deque()
        self.down = False
        """While set, nothing gets through."""

    def send(self, run_id: str) -> None:
        self._check()
        self.waiting.append(run_id)

    def send_deletion(self, deletion: Deletion, *, delay_seconds: int = 0) -> None:  # noqa: ARG002
        self._check()
        self.deletions.append(deletion)

    def depth(self) -> int:
        self._check()
        return len(self.waiting)

    def _check(self) -> None:
        if self.down:
            raise StoreUnavailable("The queue does not answer.")
