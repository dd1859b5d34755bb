"""Measures this bundle beside a naive one, and says which goals are missed: ``make bench``.

Cold: instructions (by valgrind), CPU and peak memory to a first answer. Warm: CPU of a request, in turns with the naive
bundle, so that the load of the machine meets both. DynamoDB: requests and bytes of a run. Sizes: as built.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from local.cloud.key_secret import key_secret
from local.cloud.process import running_cloud
from local.cloud.resources import create_resources
from local.settings import ROOT, Settings
from local.template.document import Template
from scripts.bench.chart import chart
from scripts.bench.counting import Counted, counting_proxy
from scripts.bench.process import function_process
from scripts.bench.results import compared, judged, load, save
from scripts.cold_start.__main__ import BUILD, Bundle, Installed, bundles, instructions, on_disk, variables
from scripts.cold_start.first_answer import FOLLOWED, KEY, Request, first_answer
from scripts.sizes import MIB, sizes

_RUN = (("message", "Hello!"), ("stream", "false"))
CONFIG = Request("config", "ConfigFunction", "GET", "/config")
AGENT_RUN = Request("agent run", "AgentsFunction", "POST", "/agents/assistant/runs", _RUN)
WORKFLOW_RUN = Request("workflow run", "WorkflowsFunction", "POST", "/workflows/letter/runs", _RUN)
COMMON = (CONFIG, AGENT_RUN, WORKFLOW_RUN)
OWN = (
    Request("list", "ControlFunction", "GET", "/agents"),
    Request("get", "ControlFunction", "GET", "/agents/assistant/runs/followed"),
    Request("cancel", "ControlFunction", "POST", "/agents/assistant/runs/followed/cancel"),
    Request("resume", "FollowFunction", "POST", "/agents/assistant/runs/followed/resume"),
    Request("WebSocket connect", "WebSocketFunction", sample="websocket-connect.json"),
)
"""The naive bundle's one function answers these at the cost of its start, which is that of ``/config``."""

PHASES = ("sizes", "cold", "warm", "dynamodb")


@dataclass
class Bench:
    """Bundles on disk, a cloud, and the samples so far."""

    options: argparse.Namespace
    template: Template
    where: Mapping[str, str]
    counted: Counted
    samples: dict[str, list[float]]

    def note(self, bundle: str, measure: str, value: float) -> None:
        """A sample."""
        self.samples.setdefault(f"{bundle}: {measure}", []).append(value)
        print(f"{bundle}: {measure} {value:.2f}", flush=True)

    def environment(self, bundle: Bundle, request: Request) -> dict[str, str]:
        """Of the process that answers the request."""
        return variables(bundle, request, self.template, self.options.boto, **self.where)

    async def cold(self, bundle: Bundle) -> None:
        """First answers. The naive bundle's CPU and memory are taken without byte code, as its instructions are."""
        python = self.options.python
        for request in (request for request in bundle.apps if request != FOLLOWED):
            environment = self.environment(bundle, request)
            await first_answer((python, "-S"), environment, request)  # fills caches
            for _ in range(self.options.times):
                taken = await first_answer((python, "-S"), environment, request)
                self.note(bundle.name, f"cold {request.name}, CPU s", taken.cpu_seconds)
                self.note(bundle.name, f"cold {request.name}, peak MiB", taken.peak_mib)
            if self.options.count:
                millions = (await instructions(python, environment, request)).partition(" ")[0]
                self.note(bundle.name, f"cold {request.name}, M instructions", int(millions))

    async def warm(self, ours: Bundle, naive: Bundle) -> None:
        """CPU of a request, the two bundles in turns."""
        for request in (CONFIG, AGENT_RUN):
            async with AsyncExitStack() as stack:
                processes = {
                    bundle.name: await stack.enter_async_context(
                        function_process((self.options.python, "-S"), self.environment(bundle, request))
                    )
                    for bundle in (ours, naive)
                }
                for process in processes.values():
                    await process.cpu_of(request.event(), 5)
                for _ in range(self.options.rounds):
                    for name, process in processes.items():
                        spent = await process.cpu_of(request.event(), self.options.requests)
                        self.note(name, f"warm {request.name}, CPU ms", spent * 1000)

    async def dynamodb(self, bundle: Bundle) -> None:
        """Requests and bytes of a run in a session of so many runs."""
        request = replace(AGENT_RUN, form=(*_RUN, ("session_id", f"measured-{bundle.name}")))
        environment = self.environment(bundle, AGENT_RUN)
        async with function_process((self.options.python, "-S"), environment) as process:
            length = 0
            for wanted in self.options.lengths:
                while length < wanted:
                    self.counted.taken()
                    await process.answer(request.event())
                    length += 1
                requests, size = self.counted.taken()
                self.note(bundle.name, f"requests of a run, session of {wanted}", requests)
                self.note(bundle.name, f"bytes of a run, session of {wanted}", size)


@asynccontextmanager
async def bench(options: argparse.Namespace) -> AsyncIterator[Bench]:
    """With a cloud of its own, behind a proxy that counts."""
    template = Template.load(ROOT / "template.yaml")
    with tempfile.TemporaryDirectory() as state:
        async with (
            running_cloud(Settings().cloud_python, Path(state)) as cloud,
            key_secret(KEY, cloud.clients) as secret,
        ):
            create_resources(template, cloud.clients)
            with counting_proxy(cloud.url) as (url, counted):
                yield Bench(options, template, {"cloud_url": url, "secret": secret}, counted, {})


async def main(options: argparse.Namespace) -> dict[str, list[float]]:
    """Every phase that is asked for. Gives the samples."""
    ours, naive = bundles(Installed(options.naive, options.boto))
    ours = replace(ours, apps={each: BUILD / each.function for each in (FOLLOWED, *COMMON, *OWN)})
    naive = replace(naive, apps=dict.fromkeys(COMMON, next(iter(naive.apps.values()))))
    async with bench(options) as measuring:
        if "sizes" in options.phases:
            for name, size in sizes(BUILD).items():
                measuring.note("ours", f"{name}, MiB", size / MIB)
        with on_disk(ours, options.python, compiled=True) as own:
            if "cold" in options.phases:
                await first_answer((options.python, "-S"), measuring.environment(own, FOLLOWED), FOLLOWED)
                await measuring.cold(own)
                with on_disk(naive, options.python, compiled=False) as other:
                    await measuring.cold(other)
            if {"warm", "dynamodb"} & {*options.phases}:
                with on_disk(naive, options.python, compiled=True) as other:
                    if "warm" in options.phases:
                        await measuring.warm(own, other)
                    if "dynamodb" in options.phases:
                        await measuring.dynamodb(own)
                        await measuring.dynamodb(other)
        return _with_starts(measuring.samples)


def _with_starts(samples: dict[str, list[float]]) -> dict[str, list[float]]:
    """The samples, and what the naive bundle takes for requests that are measured in ours only: those of its start."""
    found = dict(samples)
    for request in OWN:
        for unit in ("CPU s", "M instructions"):
            if (
                start := samples.get(f"naive: cold config, {unit}")
            ) and f"ours: cold {request.name}, {unit}" in samples:
                found[f"naive: cold {request.name}, {unit}"] = start
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description=__doc__)
    parser.add_argument("--python", required=True, help="the interpreter that the layers were built for")
    parser.add_argument("--naive", type=Path, required=True, help="folder with agno[os] and Mangum")
    parser.add_argument("--boto", type=Path, required=True, help="folder with boto3")
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=PHASES)
    parser.add_argument("--times", type=int, default=5, help="cold starts of each request; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=9, help="turns of the warm requests; default: %(default)s")
    parser.add_argument("--requests", type=int, default=40, help="of each turn; default: %(default)s")
    parser.add_argument(
        "--lengths", type=int, nargs="+", default=[1, 10, 100], help="of sessions; default: %(default)s"
    )
    parser.add_argument(
        "--no-count", dest="count", action="store_false", help="without instructions, which take minutes"
    )
    parser.add_argument("--results", type=Path, help="write what was measured to this file")
    parser.add_argument("--against", type=Path, help="print how it differs from the results in this file")
    parser.add_argument("--chart", type=Path, help="write a chart to this file")
    told = parser.parse_args()
    results = asyncio.run(main(told))
    if told.results:
        save(told.results, results)
    if told.chart:
        told.chart.write_text(chart(results))
    print(*(compared(load(told.against), results) if told.against else ()), "", *judged(results), sep="\n")
