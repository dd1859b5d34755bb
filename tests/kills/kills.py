"""Runs whose executors are killed at random points, several at once, and what became of them."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.sweeper import MAX_DEATHS
from tests.local_stack import StackProcess, running_stack
from tests.slices.components import PACE_SECONDS, ROUNDS
from tests.soak.ahead import SweepAhead
from tests.soak.workers import kill, stop_all_workers

COMPONENTS = Path(__file__).parents[1] / "slices" / "components.py"
SLICE_SECONDS = 2
TEXT = "".join(f"step {number}. " for number in range(ROUNDS)) + f"done {ROUNDS}"
NAMES = {"agents": "worker", "teams": "crew", "workflows": "line"}
AT_ONCE = 4
"""Runs under way at the same time: whenever workers are killed, each dies in the middle of another one."""
_MOST_WORK = 6 * AT_ONCE
"""How many tools, tasks and steps are done between two kills, at the most."""
_PATIENCE_SECONDS = 180.0
"""So long nothing may be done in the end, on a busy machine. A lease and the stack's own sweeps take less."""
_LOOK_SECONDS = 0.2
_RECORDS_SECONDS = 2.0
"""Between two looks at the records of all runs, which cost the machine more than the runs do."""
_SETTLE_SECONDS = 0.1
"""Until what workers have asked for, before they were stopped, is done."""


@dataclass
class Killed:
    """One run, and what was seen of it from outside."""

    kind: str
    durable: bool
    name: str
    """A word of its message, of which it makes its own."""
    run_id: str
    deaths: list[int] = field(default_factory=list)
    """For each executor that was killed: how much had been done by then."""
    run: Mapping[str, Any] = field(default_factory=dict)
    done: Counter[int] = field(default_factory=Counter)
    """How often each tool, task or step was executed."""

    @property
    def path(self) -> str:
        component = f"durable-{NAMES[self.kind]}" if self.durable else NAMES[self.kind]
        return f"/{self.kind}/{component}/runs/{self.run_id}"

    @property
    def lost(self) -> bool:
        return self.run["status"] == "ERROR" and self.run.get("content") == "execution lost"

    @property
    def repeated(self) -> int:
        return sum(self.done.values()) - len(self.done)

    @property
    def spared(self) -> bool:
        """Whether the next death might be one too many since its last checkpoint.

        What is done last may have no checkpoint yet, and the last but one has.
        """
        return sum(done >= len(self.done) - 1 for done in self.deaths) >= MAX_DEATHS

    def wrong(self) -> str | None:
        """What should not have been, in words."""
        if not self.durable and self.repeated:
            return "something was executed twice, though the run is not durable"
        if self.repeated > len(self.deaths):
            return "more was repeated than was under way when the executors died"
        if self.lost and not self.durable:
            return None
        if self.run["status"] != "COMPLETED":
            return f"it has ended as {self.run['status']}: {self.run.get('content')}"
        line = "".join([f"go {self.name}", *(f">{number}" for number in range(ROUNDS))])
        if self.run["content"] != (line if self.kind == "workflows" else TEXT):
            return f"it says {self.run['content']!r}"
        return None if set(self.done) == set(range(ROUNDS)) else "something was not executed"


@dataclass
class Kills:
    """Runs for ``seconds``, or until executors of durable runs were killed so often, and then to their ends."""

    seconds: float
    seed: int
    most: int = 1_000_000
    at_once: int = AT_ONCE
    runs: list[Killed] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 - no secret
        self._under_way: list[Killed] = []
        self._next_look = 0.0

    @property
    def kills(self) -> int:
        """How many executors of durable runs were killed."""
        return sum(len(each.deaths) for each in self.runs if each.durable)

    def run(self, folder: Path) -> list[Killed]:
        """Start a stack with its state there, and end it. Gives each run."""
        self._work_log = folder / "work"
        self._work_log.touch()
        variables = {"SLICE_SECONDS": str(SLICE_SECONDS), "WORK_LOG": str(self._work_log)}
        with (
            running_stack(folder / "state", variables, components=COMPONENTS) as stack,
            httpx.Client(base_url=stack.url, timeout=60) as http,
        ):
            over = time.monotonic() + self.seconds
            self._start_runs(http)
            with SweepAhead(stack) as ahead:
                while time.monotonic() < over and self.kills < self.most:
                    if self._let_work(ahead, over):
                        self._kill(stack, ahead)
                    self._start_runs(http)
                self._let_end(ahead)
            for each in self.runs:
                each.run = http.get(each.path).raise_for_status().json()
        return self.runs

    def _start_runs(self, http: httpx.Client) -> None:
        while len(self._under_way) < self.at_once:
            kind, durable = self._chance.choice(sorted(NAMES)), self._chance.random() < 0.8
            started = Killed(kind, durable, f"run-{len(self.runs)}", "")
            form = {"message": f"go {started.name}", "background": "true", "stream": "false"}
            answer = http.post(started.path.rstrip("/"), data=form)
            started.run_id = answer.raise_for_status().json()["run_id"]
            self.runs.append(started)
            self._under_way.append(started)

    def _let_work(self, ahead: SweepAhead, over: float) -> bool:
        """Wait until some work is done, and all executors may be killed. False if that was not before ``over``."""
        wanted = self._read_work() + self._chance.randint(1, _MOST_WORK)
        while self._read_work() < wanted or any(each.spared for each in self._under_way):
            if time.monotonic() > over:
                return False
            self._look(ahead)
            if not self._under_way:
                break
        time.sleep(self._chance.uniform(0, PACE_SECONDS))
        return True

    def _let_end(self, ahead: SweepAhead) -> None:
        """Wait until all runs have ended, or nothing was done for long."""
        done, since = self._read_work(), time.monotonic()
        while self._under_way and time.monotonic() < since + _PATIENCE_SECONDS:
            self._look(ahead)
            if self._read_work() > done:
                done, since = self._read_work(), time.monotonic()

    def _look(self, ahead: SweepAhead) -> None:
        time.sleep(_LOOK_SECONDS)
        if time.monotonic() > self._next_look:
            self._under_way = [each for each in self._under_way if ahead.record(each.run_id).status.active]
            self._next_look = time.monotonic() + _RECORDS_SECONDS

    def _kill(self, stack: StackProcess, ahead: SweepAhead) -> None:
        """Kill all workers, and have the next ones take over what they worked on."""
        workers = stop_all_workers(stack)
        time.sleep(_SETTLE_SECONDS)
        records = [(each, ahead.record(each.run_id)) for each in self._under_way]
        kill(workers)
        self._read_work()
        for each, record in records:
            if record.status is RunStatus.PENDING:
                ahead.send(each.run_id)
            elif record.status is RunStatus.RUNNING:
                swept = ahead.sweep_run(each.run_id)
                if swept.revived or swept.lost:
                    each.deaths.append(len(each.done))

    def _read_work(self) -> int:
        """How much was done, in tools, tasks and steps. Notes for each run how often it has done what."""
        whose = {key: each for each in self.runs for key in (each.run_id, each.name)}
        for each in self.runs:
            each.done.clear()
        lines = 0
        for who, number in self._lines():
            whose[who].done[number] += 1
            lines += 1
        return lines

    def _lines(self) -> Iterator[tuple[str, int]]:
        for line in self._work_log.read_text().splitlines():
            who, number, _ = line.split()
            yield who, int(number)
