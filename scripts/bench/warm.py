"""Warm requests to processes of functions, in turns with the naive bundle's: the load of the machine meets both."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack

from scripts.bench.process import FunctionProcess, function_process, measured
from scripts.bench.results import Note
from scripts.bench.served import WORDS_100
from scripts.cold_start.__main__ import Bundle
from scripts.cold_start.first_answer import Request

_RUNS = "/agents/assistant/runs"
SEEDED = (("message", "Hello!"), ("stream", "false"), ("session_id", "measured"), ("run_id", "measured"))
SEED = Request("seed", "AgentsFunction", "POST", _RUNS, SEEDED)
"""Makes the run that is read and cancelled."""
CONFIG = Request("config", "ConfigFunction", "GET", "/config")
RUN = Request("agent run", "AgentsFunction", "POST", _RUNS, (("message", "Hello!"), ("stream", "false")))
WARM = (
    CONFIG,
    Request("get", "ControlFunction", "GET", f"{_RUNS}/measured?session_id=measured"),
    Request("cancel", "ControlFunction", "POST", f"{_RUNS}/measured/cancel?session_id=measured"),
    RUN,
    Request("streamed run", "AgentsFunction", "POST", _RUNS, (("message", "Hello!"), ("stream", "true"))),
    Request("100 tokens", "AgentsFunction", "POST", _RUNS, (("message", WORDS_100), ("stream", "true"))),
)
Environment = Callable[[Bundle, Request], Mapping[str, str]]


async def warm(
    note: Note, python: str, bundles: Sequence[Bundle], environment: Environment, *, rounds: int, requests: int
) -> None:
    """CPU, p50 and p95 of each request by every bundle that answers it. Each round is a sample."""
    for function in dict.fromkeys(request.function for request in WARM):
        async with AsyncExitStack() as stack:
            processes: dict[str, FunctionProcess] = {}
            for bundle in bundles:
                answered = [each for each in WARM if each.function == function and each in bundle.apps]
                if answered:
                    given = measured(environment(bundle, answered[0]))
                    processes[bundle.name] = await stack.enter_async_context(function_process((python, "-S"), given))
            for request in (request for request in WARM if request.function == function):
                asked = {bundle.name: processes[bundle.name] for bundle in bundles if request in bundle.apps}
                for process in asked.values():
                    await process.taken(request.event(), 5)
                for _ in range(rounds):
                    for name, process in asked.items():
                        cpu, latencies = await process.taken(request.event(), requests)
                        note(name, f"warm {request.name}, CPU ms", cpu * 1000)
                        note(name, f"warm {request.name}, p50 ms", statistics.median(latencies) * 1000)
                        slow = sorted(latencies)[int(len(latencies) * 0.95)]
                        note(name, f"warm {request.name}, p95 ms", slow * 1000)


async def seed(python: str, bundle: Bundle, environment: Environment) -> None:
    """Make the run that is read and cancelled."""
    async with function_process((python, "-S"), environment(bundle, RUN)) as process:
        await process.answer(SEED.event())
