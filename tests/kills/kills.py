"""Runs whose executors are killed at random points, one run after the other, and what became of them."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.local_stack import StackProcess, running_stack
from tests.slices.components import ROUNDS
from tests.soak.soak import sweep_ahead

COMPONENTS = Path(__file__).parents[1] / "slices" / "components.py"
SLICE_SECONDS = 2
TEXT = "".join(f"step {number}. " for number in range(ROUNDS)) + f"done {ROUNDS}"
LINE = "".join(["go", *(f">{number}" for number in range(ROUNDS))])
NAMES = {"agents": "worker", "teams": "crew", "workflows": "line"}
_LONGEST_SECONDS = 6.0
"""After which a worker is killed: a run takes about as long, with a cold start."""
_WORKER = "WorkerFunction"


@dataclass
class Killed:
    """One run, and what was seen of it from outside."""

    kind: str
    durable: bool
    kills: int = 0
    deaths: int = 0
    """How often it was found without an executor, and carried on."""
    run: Mapping[str, Any] = field(default_factory=dict)
    done: Counter[int] = field(default_factory=Counter)
    """How often each tool, task or step was executed."""

    @property
    def lost(self) -> bool:
        return self.run["status"] == "ERROR" and self.run.get("content") == "execution lost"

    @property
    def repeated(self) -> int:
        return sum(self.done.values()) - len(self.done)

    def wrong(self) -> str | None:
        """What should not have been, in words."""
        if not self.durable and self.repeated:
            return "something was executed twice, though the run is not durable"
        if self.repeated > self.deaths:
            return "more was repeated than was under way when the executors died"
        if self.lost and not self.durable:
            return None
        if self.run["status"] != "COMPLETED":
            return f"it has ended as {self.run['status']}: {self.run.get('content')}"
        if self.run["content"] != (LINE if self.kind == "workflows" else TEXT):
            return f"it says {self.run['content']!r}"
        return None if set(self.done) == set(range(ROUNDS)) else "something was not executed"


@dataclass
class Kills:
    """Runs one after the other for ``seconds``, or until there were so many kills."""

    seconds: float
    seed: int
    most: int = 1_000_000
    runs: list[Killed] = field(default_factory=list)

    @property
    def kills(self) -> int:
        return sum(each.kills for each in self.runs)

    def run(self, folder: Path) -> list[Killed]:
        """Start a stack with its state there, and end it. Gives each run."""
        chance = random.Random(self.seed)  # noqa: S311 - no secret
        work_log = folder / "work"
        variables = {"SLICE_SECONDS": str(SLICE_SECONDS), "WORK_LOG": str(work_log)}
        with running_stack(folder / "state", variables, components=COMPONENTS) as stack:
            over = time.monotonic() + self.seconds
            with httpx.Client(base_url=stack.url, timeout=60) as http:
                while time.monotonic() < over and self.kills < self.most:
                    work_log.write_text("")
                    self.runs.append(self._one(stack, http, chance))
                    lines = [line.split() for line in work_log.read_text().splitlines()]
                    self.runs[-1].done = Counter(int(number) for _, number, _ in lines)
        return self.runs

    def _one(self, stack: StackProcess, http: httpx.Client, chance: random.Random) -> Killed:
        kind, durable = chance.choice(sorted(NAMES)), chance.random() < 0.8
        killed = Killed(kind, durable)
        name = f"durable-{NAMES[kind]}" if durable else NAMES[kind]
        answer = http.post(f"/{kind}/{name}/runs", data={"message": "go", "background": "true", "stream": "false"})
        path = f"/{kind}/{name}/runs/{answer.raise_for_status().json()['run_id']}"
        for _ in range(chance.randint(1, 2)):
            time.sleep(chance.uniform(0, _LONGEST_SECONDS))
            if _ended(http, path) or not _kill_all_workers(stack):
                break
            killed.kills += 1
            killed.deaths += sweep_ahead(stack).revived
        while not _ended(http, path):
            time.sleep(0.2)
        killed.run = http.get(path).json()
        return killed


def _ended(http: httpx.Client, path: str) -> bool:
    return http.get(path).raise_for_status().json()["status"] not in ("PENDING", "RUNNING")


def _kill_all_workers(stack: StackProcess) -> bool:
    """Kill every environment of the worker function, whatever it does. False if there is none."""
    environments = stack.environments().items()
    workers = [pid for pid, variables in environments if variables.get("AWS_LAMBDA_FUNCTION_NAME") == _WORKER]
    for worker in workers:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    return bool(workers)
