"""What a cold start costs, from the start of a function's process to the first byte of its first answer.

``make cold-start`` builds what this measures: the layers as they go to AWS, and a bundle with agno's own server.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.cloud.key_secret import key_secret
from local.cloud.process import running_cloud
from local.cloud.resources import create_resources
from local.settings import ROOT, Settings
from local.template.document import Template
from local.variables import cloud_access
from scripts.cold_start.first_answer import FOLLOWED, KEY, OWN_REQUESTS, REQUESTS, Request, first_answer
from scripts.cold_start.loading import CHOICES, RUNS, VARIABLE
from scripts.cold_start.models import MODELS, UNREACHABLE, WHOLE_RUN, components_layer, mib
from scripts.cold_start.starts import START_COLUMNS, Start, head, row, starts

BUILD = ROOT / ".aws-sam" / "build"
LAYERS = tuple(BUILD / f"{name}Layer" / "python" for name in ("AgentosLambda", "Components", "Engine"))
NAIVE_APP = Path(__file__).parent / "naive"
LOADING_COLUMNS = ("of the answer", "a start", "at its share throughout", "once started")


@dataclass(frozen=True)
class Bundle:
    """What is on Lambda's disk."""

    name: str
    packages: Sequence[Path]
    apps: Mapping[Request, Path]
    """The folder of the function that takes the request."""


@dataclass(frozen=True)
class Installed:
    """Where ``make cold-start`` has installed what is not in the build."""

    naive: Path
    boto: Path
    """On Lambda the runtime brings boto3, compiled."""


def bundles(installed: Installed) -> tuple[Bundle, Bundle]:
    """Ours and the naive one."""
    own = (FOLLOWED, *REQUESTS, *OWN_REQUESTS)
    ours = Bundle("ours", LAYERS, {request: BUILD / request.function for request in own})
    # Of ours, the naive bundle has only the demo model and the components.
    shared = (ROOT / "layers" / "agentos_lambda", ROOT / "layers" / "components")
    naive = Bundle("naive", (installed.naive, *shared), dict.fromkeys(REQUESTS, NAIVE_APP))
    return ours, naive


@contextmanager
def on_disk(bundle: Bundle, python: str, *, compiled: bool) -> Iterator[Bundle]:
    """A copy of the bundle, its sources with .pyc files of this Python or without any."""
    with tempfile.TemporaryDirectory() as folder:
        without = shutil.ignore_patterns("__pycache__")

        def copy(source: Path, name: str) -> Path:
            return Path(shutil.copytree(source, Path(folder) / name, ignore=without))

        packages = [copy(source, str(number)) for number, source in enumerate(bundle.packages)]
        copied = {source: copy(source, source.name) for source in {*bundle.apps.values()}}
        apps = {request: copied[source] for request, source in bundle.apps.items()}
        if compiled:
            command = [python, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash", folder]
            subprocess.run(command, check=False)  # some packages contain files for other versions of Python
        yield Bundle(bundle.name, packages, apps)


def variables(
    bundle: Bundle, request: Request, template: Template, boto: Path, *, cloud_url: str, secret: str
) -> dict[str, str]:
    """The variables of the function's process. Our function reads the key from the secret, as on AWS."""
    return {
        **template.functions[request.function].variables,
        **cloud_access(cloud_url),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, (bundle.apps[request], *bundle.packages, boto))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "AGNO_TELEMETRY": "false",
        "LOG_LEVEL": "ERROR",
        "LAMBDA_TASK_ROOT": str(bundle.apps[request]),
        "_HANDLER": "app.handler",
        "SECURITY_KEY_SECRET": secret,
        "OS_SECURITY_KEY": KEY,
    }


async def instructions(python: str, environment: Mapping[str, str], request: Request) -> str:
    """Millions of instructions, including those with which the process ends."""
    valgrind = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
    output = (await first_answer((*valgrind, python, "-S"), environment, request)).output
    count = re.search(r"I\s+refs:\s+([\d,]+)", output)
    if count is None:
        raise RuntimeError(output)
    return f"{int(count[1].replace(',', '')) // 1_000_000} M instructions"


async def report(
    bundle: Bundle,
    given: Mapping[Request, Mapping[str, str]],
    template: Template,
    options: argparse.Namespace,
    *,
    compiled: bool,
) -> None:
    """Measure a bundle, and print a table of its requests. ``given`` are the variables of the process that answers."""
    print(f"\n{bundle.name}, {'with byte code' if compiled else 'without byte code'}:\n")
    further = [*(["on a clock"] if options.at_share else []), *(["instructions"] if options.count else [])]
    head("function", "first request", "memory", *START_COLUMNS, *further)
    for request, environment in given.items():
        memory = template.functions[request.function].memory
        start = Start(options.python, request, memory, environment)
        [found] = await starts([start], options.times, at_share=options.at_share)
        count = [await instructions(options.python, environment, request)] if options.count else []
        function = request.function.removesuffix("Function").lower()
        clock = [f"{found.clock:.1f} s"] if options.at_share else []
        row(f"`{function}`", request.name, f"{memory} MB", *found.cells(), *clock, *count)


async def report_models(template: Template, options: argparse.Namespace, **where: str) -> None:
    """Print what the components' layer takes with one agent of each model, and how long its first run takes, with .pyc.

    The run ends when the model has asked and nobody has answered.
    """
    package, _, *others = LAYERS
    head("model", "package", "layer", "CPU of INIT", "of the first run", "a start")
    for model in MODELS:
        with components_layer(model) as layer:
            bundle = Bundle(str(model), (package, layer, *others), {WHOLE_RUN: BUILD / WHOLE_RUN.function})
            environment = {**variables(bundle, WHOLE_RUN, template, options.boto, **where), **UNREACHABLE}
            memory = template.functions[WHOLE_RUN.function].memory
            start = Start(options.python, WHOLE_RUN, memory, environment)
            [found] = await starts([start], options.times, at_share=options.at_share)
            times = (f"{each:.1f} s" for each in (found.init, found.answer, found.seconds))
            package_name = f"`{model.requirement}`" if model.requirement else ""
            row(f"`{model}`", package_name, f"{mib(layer):.0f} MiB", *times)


async def report_loading(template: Template, options: argparse.Namespace, **where: str) -> None:
    """Print what first runs take by when components are imported, with .pyc. The choices are measured in turns."""
    ours = Bundle("ours", LAYERS, {request: BUILD / request.function for request in RUNS})
    head("first request", "components are imported", "CPU of INIT", *LOADING_COLUMNS)
    with on_disk(ours, options.python, compiled=True) as copied:
        for request in RUNS:
            given = variables(copied, request, template, options.boto, **where)
            memory = template.functions[request.function].memory
            each = [Start(options.python, request, memory, {**given, VARIABLE: choice}) for choice in CHOICES]
            measured = await starts(each, options.times, at_share=options.at_share)
            for choice, found in zip(CHOICES, measured, strict=True):
                times = (found.init, found.answer, found.seconds, found.seconds_at_share, found.seconds_once_started)
                row(request.name, f"`{choice}`", *(f"{seconds:.2f} s" for seconds in times))


async def main(options: argparse.Namespace) -> None:
    """Measure ours, and the naive bundle with .pyc files and without; or something else that was asked for."""
    template = Template.load(ROOT / "template.yaml")
    installed = Installed(options.naive, options.boto)
    measured = [bundle for bundle in bundles(installed) if options.only in (None, bundle.name)]
    with tempfile.TemporaryDirectory() as state:
        async with (
            running_cloud(Settings().cloud_python, Path(state)) as cloud,
            key_secret(KEY, cloud.clients) as secret,
        ):
            create_resources(template, cloud.clients)
            where = {"cloud_url": cloud.url, "secret": secret}
            if options.models or options.loading:
                await (report_models if options.models else report_loading)(template, options, **where)
                return
            for compiled, bundle in itertools.product((True, False)[: 1 if options.compiled else 2], measured):
                if bundle.name == "ours" and not compiled:
                    continue  # its layers have hardly any sources
                with on_disk(bundle, options.python, compiled=compiled) as copied:
                    given = {each: variables(copied, each, template, installed.boto, **where) for each in copied.apps}
                    seed = given.pop(FOLLOWED, None)
                    if seed is not None and compiled:  # once
                        await first_answer((options.python, "-S"), seed, FOLLOWED)
                    await report(copied, given, template, options, compiled=compiled)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m scripts.cold_start", description=__doc__)
    parser.add_argument("--python", required=True, help="the interpreter that the layers were built for")
    parser.add_argument("--naive", type=Path, required=True, help="folder with agno[os] and Mangum")
    parser.add_argument("--boto", type=Path, required=True, help="folder with boto3")
    parser.add_argument(
        "--models", action="store_true", help="size and first run with the model of each provider instead"
    )
    parser.add_argument(
        "--loading", action="store_true", help="first runs by when components are imported (LoadComponents) instead"
    )
    parser.add_argument("--only", choices=("ours", "naive"))
    parser.add_argument("--compiled", action="store_true", help="with .pyc files only, as they are deployed")
    parser.add_argument("--times", type=int, default=5, help="how many runs a median is made of; default: %(default)s")
    parser.add_argument(
        "--at-share",
        action="store_true",
        help="hold a process that has started to its share of a processor, as Lambda does",
    )
    parser.add_argument("--count", action="store_true", help="also count instructions by valgrind, which takes minutes")
    asyncio.run(main(parser.parse_args()))
