"""A clock that stands until it is told to go."""


class ManualClock:
    def __init__(self, now: int = 1_800_000_000_000) -> None:
        self.time = now

    def now(self) -> int:
        return self.time

    def monotonic(self) -> float:
        return self.time / 1000

    def advance(self, milliseconds: int) -> None:
        self.time += milliseconds
