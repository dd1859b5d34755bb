"""What `make cold-start` measures is answered, here by the source instead of the build."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import httpx
import pytest

from local.cloud.key_secret import key_secret
from local.cloud.resources import create_resources
from local.cloud.session import CloudClients
from local.settings import ROOT
from local.template.document import Template
from scripts.cold_start.__main__ import Bundle, variables
from scripts.cold_start.first_answer import KEY, REQUESTS, first_answer
from scripts.cold_start.share import held_to

pytestmark = pytest.mark.anyio

INSTALLED = Path(httpx.__file__).parents[1]
SOURCE = Bundle(
    "source",
    (ROOT / "layers/agentos_lambda", ROOT / "layers/components", INSTALLED),
    {request: ROOT / f"functions/{request.function.removesuffix('Function').lower()}" for request in REQUESTS},
)
"""What a build has and the source has not is the manifest."""
BUSY_FOR_200_MS = "import time\nwhile time.process_time() < 0.2: pass"


@pytest.mark.sample
async def test_each_request_is_answered_and_its_processor_time_is_measured(cloud_url, manifest):
    template = Template.load(ROOT / "template.yaml")
    clients = CloudClients(cloud_url)
    async with key_secret(KEY, clients) as secret:
        create_resources(template, clients)
        for request in REQUESTS:
            given = variables(SOURCE, request, template, INSTALLED, cloud_url=cloud_url, secret=secret)
            given["AGENTOS_MANIFEST"] = str(manifest)
            measured = await first_answer((sys.executable,), given, request, share=0.9)
            assert 0 < measured.init_cpu_seconds < measured.cpu_seconds < 60


@pytest.mark.sample
async def test_a_process_gets_no_more_than_its_share_of_a_processor():
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(sys.executable, "-S", "-c", BUSY_FOR_200_MS)
    holding = asyncio.create_task(held_to(0.1, process.pid))
    await process.wait()
    await holding
    assert time.monotonic() - began > 2 * 0.2  # ten times, if it is watched closely
