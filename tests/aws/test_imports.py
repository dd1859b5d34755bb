"""What a cold start imports: each of these costs a client a part of a second."""

import json
import subprocess
import sys

import pytest

from agentos_lambda.engine.components.manifest import VERSION
from tests.process import ROOT

BUILD_ONLY = {
    "agentos_lambda.api.account_answers",
    "agentos_lambda.api.answers",
    "agentos_lambda.api.openapi.build_document",
}
"""What the API document is made of, and by."""

OF_TOKENS = {"jwt", "cryptography", "agentos_lambda.identity.tokens"}
"""Where none are configured, nothing verifies them."""

SDKS = {"agno", "boto3"}
WEB = {"fastapi", "starlette", "pydantic"}
NEVER_WITHOUT_A_STORE = ("control", "follow")
"""They import boto3 while they start, when Lambda gives more of a processor than later."""
LATER = {
    "config": {"agentos_lambda.stores.dynamodb", "agentos_lambda.runs.execution", "botocore", *SDKS, *BUILD_ONLY},
    "control": {"agno", *BUILD_ONLY},
    "follow": {"agno", *BUILD_ONLY},
    "agents": SDKS | BUILD_ONLY,
    "teams": SDKS | BUILD_ONLY,
    "workflows": SDKS | BUILD_ONLY,
    "worker": SDKS | WEB,
    "sweeper": SDKS | WEB,
    "websocket": SDKS | WEB,
}


@pytest.mark.parametrize("function", LATER)
def test_a_function_starts_without_what_only_its_later_work_needs(function, tmp_path):
    nothing = {"agents": [], "teams": [], "workflows": [], "models": [], "providers": {}, "os": {}}
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"version": VERSION, "engine_version": "1", **nothing}))
    variables = {"AGENTOS_MANIFEST": str(manifest), "AWS_DEFAULT_REGION": "eu-west-1"}  # as Lambda sets it
    done = subprocess.run(
        [sys.executable, "-c", "import sys, app; print(*sys.modules)"],
        cwd=ROOT / "functions" / function,
        env={"PYTHONPATH": str(ROOT / "layers" / "agentos_lambda"), **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(done.stdout.split())
    assert not (LATER[function] | OF_TOKENS) & imported
    assert ("boto3" in imported) == (function in NEVER_WITHOUT_A_STORE)
