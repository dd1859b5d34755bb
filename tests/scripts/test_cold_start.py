"""What `make cold-start` measures is answered, here by the source instead of the build."""

from __future__ import annotations

import sys
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

pytestmark = pytest.mark.anyio

INSTALLED = Path(httpx.__file__).parents[1]
SOURCE = Bundle(
    "source",
    (ROOT / "layers/agentos_lambda", ROOT / "layers/components", INSTALLED),
    {request: ROOT / f"functions/{request.function.removesuffix('Function').lower()}" for request in REQUESTS},
)
"""What a build has and the source has not is the manifest."""


@pytest.mark.sample
async def test_each_request_is_answered_and_its_processor_time_is_measured(cloud_url, manifest):
    template = Template.load(ROOT / "template.yaml")
    clients = CloudClients(cloud_url)
    async with key_secret(KEY, clients) as secret:
        create_resources(template, clients)
        for request in REQUESTS:
            given = variables(SOURCE, request, template, INSTALLED, cloud_url=cloud_url, secret=secret)
            given["AGENTOS_MANIFEST"] = str(manifest)
            measured = await first_answer((sys.executable,), given, request)
            assert 0 < measured.cpu_seconds < 60
