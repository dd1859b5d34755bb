"""A supervisor without a thread: it ticks when a test says so, and at once if an attempt wakes it."""

from __future__ import annotations

from agentos_lambda.runs.supervisor import AttemptSupervisor


class HandDrivenSupervisor(AttemptSupervisor):
    """Does in a tick what every supervisor does, but has no thread that ticks."""

    def start(self) -> None:
        pass

    def wake(self) -> None:
        self.tick()

    def stop(self) -> None:
        pass
