"""First answers of processes that were just started."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable

from scripts.bench.warm import CONFIG, RUN
from scripts.bench.world import Bench
from scripts.cold_start.__main__ import Bundle, instructions
from scripts.cold_start.first_answer import FOLLOWED, Request, first_answer

_RUN = (("message", "Hello!"), ("stream", "false"))
WORKFLOW_RUN = Request("workflow run", "WorkflowsFunction", "POST", "/workflows/letter/runs", _RUN)
COMMON = (CONFIG, RUN, WORKFLOW_RUN)
OWN = (
    Request("list", "ControlFunction", "GET", "/agents"),
    Request("get", "ControlFunction", "GET", "/agents/assistant/runs/followed"),
    Request("cancel", "ControlFunction", "POST", "/agents/assistant/runs/followed/cancel"),
    Request("resume", "FollowFunction", "POST", "/agents/assistant/runs/followed/resume"),
    Request("WebSocket connect", "WebSocketFunction", sample="websocket-connect.json"),
)
"""The naive bundle's one function answers these at the cost of its start, which is that of ``/config``."""


async def cold(bench: Bench, bundle: Bundle, requests: Iterable[Request]) -> None:
    """CPU and peak memory to the first answer, and instructions, counted of several processes at the same time."""
    python, given = bench.options.python, {each: bench.environment(bundle, each) for each in requests}
    for request, environment in given.items():
        await first_answer((python, "-S"), environment, request)  # fills caches
        for _ in range(bench.options.times):
            taken = await first_answer((python, "-S"), environment, request)
            bench.note(bundle.name, f"cold {request.name}, CPU s", taken.cpu_seconds)
            bench.note(bundle.name, f"cold {request.name}, peak MiB", taken.peak_mib)
    if bench.options.count:
        free = asyncio.Semaphore(os.cpu_count() or 1)

        async def count(request: Request) -> None:
            async with free:
                millions = (await instructions(python, given[request], request)).partition(" ")[0]
            bench.note(bundle.name, f"cold {request.name}, M instructions", int(millions))

        await asyncio.gather(*map(count, given))


async def seed(bench: Bench, bundle: Bundle) -> None:
    """Make the run that is read and cancelled."""
    await first_answer((bench.options.python, "-S"), bench.environment(bundle, FOLLOWED), FOLLOWED)


def with_starts(samples: dict[str, list[float]]) -> dict[str, list[float]]:
    """The samples, and what the naive bundle takes for requests that are measured in ours only: those of its start."""
    found = dict(samples)
    for request in OWN:
        for unit in ("CPU s", "M instructions"):
            start, ours = samples.get(f"naive: cold config, {unit}"), f"ours: cold {request.name}, {unit}"
            if start and ours in samples:
                found[f"naive: cold {request.name}, {unit}"] = start
    return found
