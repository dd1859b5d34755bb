"""A clock that stands until it is told to go."""


class ManualClock:
    def __init__(self, now: int = 1_800_000_000_000) -> None:
        self.time = now
        self.jumped = 0

    def now(self) -> int:
        return self.time + self.jumped

    def monotonic(self) -> float:
        return self.time / 1000

    def jump(self, milliseconds: int) -> None:
        """The time of day is set anew; or, forward, the machine was frozen, and its monotonic clock with it."""
        self.jumped += milliseconds

    def advance(self, milliseconds: int) -> None:
        self.time += milliseconds
