"""A queue in the memory of one process."""

from __future__ import annotations

from collections import deque

from agentos_lambda.runs.errors import StoreUnavailable


class MemoryQueue:
    """Implements ``runs.ports.RunQueue``; ``waiting`` is what was sent, oldest first."""

    def __init__(self) -> None:
        self.waiting: deque[str] = deque()
        self.down = False
        """While set, nothing gets through."""

    def send(self, run_id: str) -> None:
        self._check()
        self.waiting.append(run_id)

    def depth(self) -> int:
        self._check()
        return len(self.waiting)

    def _check(self) -> None:
        if self.down:
            raise StoreUnavailable("The queue does not answer.")
