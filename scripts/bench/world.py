"""What is measured: bundles on disk, a cloud of their own, and the samples so far."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local.cloud.key_secret import key_secret
from local.cloud.process import running_cloud
from local.cloud.resources import create_resources
from local.settings import ROOT, Settings
from local.template.document import Template
from scripts.bench.counting import Counted, counting_proxy
from scripts.cold_start.__main__ import Bundle, variables
from scripts.cold_start.first_answer import KEY, Request

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass
class Bench:
    """A cloud, asked directly or through a proxy that counts, and the samples so far."""

    options: argparse.Namespace
    template: Template
    cloud_url: str
    proxy_url: str
    secret: str
    counted: Counted
    sqs: SQSClient
    samples: dict[str, list[float]]

    def note(self, whose: str, measure: str, value: float) -> None:
        """A sample."""
        self.samples.setdefault(f"{whose}: {measure}", []).append(value)
        print(f"{whose}: {measure} {value:.2f}", flush=True)

    def environment(self, bundle: Bundle, request: Request) -> dict[str, str]:
        """Of the process that answers the request."""
        return self._variables(bundle, request, self.cloud_url)

    def counted_environment(self, bundle: Bundle, request: Request) -> dict[str, str]:
        """The same, with what it asks of DynamoDB counted."""
        return self._variables(bundle, request, self.proxy_url)

    def _variables(self, bundle: Bundle, request: Request, cloud_url: str) -> dict[str, str]:
        return variables(bundle, request, self.template, self.options.boto, cloud_url=cloud_url, secret=self.secret)


@asynccontextmanager
async def bench(options: argparse.Namespace) -> AsyncIterator[Bench]:
    """With a cloud of its own."""
    template = Template.load(ROOT / "template.yaml")
    with tempfile.TemporaryDirectory() as state:
        async with (
            running_cloud(Settings().cloud_python, Path(state)) as cloud,
            key_secret(KEY, cloud.clients) as secret,
        ):
            await asyncio.to_thread(create_resources, template, cloud.clients)
            with counting_proxy(cloud.url) as (url, counted):
                yield Bench(options, template, cloud.url, url, secret, counted, cloud.clients.sqs, {})
