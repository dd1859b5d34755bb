"""Measures this bundle beside a naive one and beside AgentOS under uvicorn, and says which goals are missed.

``make bench`` runs it. Cold: instructions (by valgrind), CPU and peak memory to a first answer. Warm: CPU and latency
of each request. DynamoDB: requests, units and bytes of a run. Served: through the stack of ``make run``, in turns with
AgentOS. Sizes: as built. A whole run writes the results, the chart and the tables of ``docs/performance.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable
from dataclasses import replace
from pathlib import Path

from local.settings import ROOT
from scripts.bench.chart import chart
from scripts.bench.cold import COMMON, OWN, cold, with_starts
from scripts.bench.cold import seed as seed_followed
from scripts.bench.floors import LIBRARIES, measure
from scripts.bench.goals import judged, missed
from scripts.bench.publish import RESULTS, publish
from scripts.bench.results import Run, compared, load, save
from scripts.bench.served import served
from scripts.bench.storing import COMPONENTS, WORKER, Storing, request_of
from scripts.bench.warm import RUN, SEED, WARM, seed, warm
from scripts.bench.world import Bench, bench
from scripts.cold_start.__main__ import BUILD, Bundle, Installed, bundles, on_disk
from scripts.cold_start.first_answer import FOLLOWED
from scripts.sizes import MIB, sizes

PHASES = ("sizes", "cold", "warm", "dynamodb", "served")
_QUICK = {"times": 1, "rounds": 2, "requests": 5, "lengths": [1, 10], "session": 10, "count": False}
_LONGEST_OF_NAIVE = 100
"""Its runs take longer with each that its session has."""


async def main(options: argparse.Namespace) -> dict[str, list[float]]:
    """Every phase that is asked for. Gives the samples."""
    ours, naive = bundles(Installed(options.naive, options.boto))
    stored = [request_of(kind, "whole", "") for kind in COMPONENTS]
    ours = replace(
        ours, apps={each: BUILD / each.function for each in (FOLLOWED, *COMMON, *OWN, SEED, *WARM, *stored, WORKER)}
    )
    [app] = {*naive.apps.values()}
    naive = replace(naive, apps=dict.fromkeys((*COMMON, SEED, *WARM, stored[0]), app))
    async with bench(options) as measuring:
        if "sizes" in options.phases:
            for name, size in sizes(BUILD, without="IdentityLayer").items():
                measuring.note("ours", f"{name}, MiB", size / MIB)
        if "served" in options.phases:
            await _timed(
                "served",
                served(
                    measuring.note,
                    options.oracle,
                    options.boto,
                    rounds=options.rounds,
                    requests=options.requests,
                    session=options.session,
                ),
            )
        if {"cold", "warm", "dynamodb"} & {*options.phases}:
            with on_disk(ours, options.python, compiled=True) as own:
                if "cold" in options.phases:
                    await _timed("cold, without byte code", _cold_without_byte_code(measuring, naive))
                with on_disk(naive, options.python, compiled=True) as other:
                    await _in_processes(measuring, own, other)
        return with_starts(measuring.samples)


async def _cold_without_byte_code(measuring: Bench, naive: Bundle) -> None:
    with on_disk(naive, measuring.options.python, compiled=False) as other:
        await cold(measuring, other, COMMON)


async def _in_processes(measuring: Bench, own: Bundle, other: Bundle) -> None:
    """Functions' processes, with byte code."""
    options = measuring.options
    if "cold" in options.phases:
        await seed_followed(measuring, own)
        await _timed("cold, ours", cold(measuring, own, (*COMMON, *OWN)))
        compiled = replace(other, name="naive with byte code")
        await _timed("cold, naive with byte code", cold(measuring, compiled, COMMON[:2]))
        packages = (*own.packages, options.boto)
        floors = asyncio.to_thread(measure, options.python, packages, measuring.note, count=options.count)
        await _timed("cold, imports alone", floors)
    if "warm" in options.phases:
        for each in (own, other):
            await seed(options.python, each, measuring.environment)
        libraries = Bundle(LIBRARIES, own.packages, {RUN: Path(__file__).parent / LIBRARIES})
        await _timed(
            "warm",
            warm(
                measuring.note,
                options.python,
                (own, other, libraries),
                measuring.environment,
                rounds=options.rounds,
                requests=options.requests,
            ),
        )
    if "dynamodb" in options.phases:
        storing = Storing(measuring.note, options.python, measuring.counted, measuring.counted_environment)
        for kind in COMPONENTS:
            runs = storing.ours(own, kind, options.lengths, measuring.template, measuring.sqs)
            await _timed(f"DynamoDB, {kind}", runs)
        lengths = [length for length in options.lengths if length <= _LONGEST_OF_NAIVE]
        await _timed("DynamoDB, naive", storing.others(other, lengths))


async def _timed(what: str, doing: Awaitable[None]) -> None:
    began = time.monotonic()
    await doing
    print(f"--- {what}: {time.monotonic() - began:.0f} s", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description=__doc__)
    parser.add_argument("--python", required=True, help="the interpreter that the layers were built for")
    parser.add_argument("--naive", type=Path, required=True, help="folder with agno[os] and Mangum")
    parser.add_argument("--boto", type=Path, required=True, help="folder with boto3")
    parser.add_argument("--oracle", type=Path, default=ROOT / ".venvs/oracle/bin/python", help="has AgentOS")
    parser.add_argument("--quick", action="store_true", help="few samples, nothing is counted by valgrind")
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=PHASES)
    parser.add_argument("--times", type=int, default=5, help="cold starts of each request; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=9, help="turns of the warm requests; default: %(default)s")
    parser.add_argument("--requests", type=int, default=25, help="of each turn; default: %(default)s")
    parser.add_argument("--lengths", type=int, nargs="+", default=[1, 10, 100, 1000], help="of sessions")
    parser.add_argument("--session", type=int, default=100, help="runs of the long session that is served")
    parser.add_argument("--no-count", dest="count", action="store_false", help="without instructions by valgrind")
    parser.add_argument("--results", type=Path, help="write what was measured to this file")
    parser.add_argument("--against", type=Path, help="print how it differs from the results in this file")
    parser.add_argument("--chart", type=Path, help="write a chart to this file")
    told = parser.parse_args()
    whole = not told.quick and told.count and {*told.phases} == {*PHASES}
    if told.quick:
        vars(told).update(_QUICK)
    if whole:
        told.results = told.results or RESULTS
    return told


if __name__ == "__main__":
    told = _options()
    results = asyncio.run(main(told))
    before = load(told.against)[1] if told.against else {}
    if told.results:
        save(told.results, Run.here(told.python), results)
        if told.results == RESULTS:
            publish()
    if told.chart:
        told.chart.write_text(chart(results))
    print(*compared(before, results), "", *judged(results), sep="\n")
    if short := missed(results):
        print("", "These goals fall short:", *short, sep="\n")
        sys.exit(1)
