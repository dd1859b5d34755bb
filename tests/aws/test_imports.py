"""What a cold start imports: each of these costs a client a part of a second."""

import os
import subprocess
import sys

import pytest

from tests.aws.runtime_process import ROOT

LATER = {
    "config": {"agentos_lambda.stores.dynamodb", "agentos_lambda.runs.execution", "botocore", "agno", "boto3"},
    "agents": {"agno", "boto3"},
    "teams": {"agno", "boto3"},
    "workflows": {"agno", "boto3"},
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    manifest = tmp_path_factory.mktemp("manifest") / "manifest.json"
    layers = os.pathsep.join(str(ROOT / "layers" / name) for name in ("agentos_lambda", "components"))
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": layers, "AGENTOS_MANIFEST": str(manifest)}
    build = [sys.executable, "-m", "agentos_lambda.engine.build_manifest", "-o", manifest]
    subprocess.run(build, env=variables, check=True, capture_output=True)
    return variables


@pytest.mark.parametrize("function", LATER)
def test_a_function_starts_without_what_only_its_later_work_needs(function, environment):
    done = subprocess.run(
        [sys.executable, "-c", "import sys, app; print(*sys.modules)"],
        cwd=ROOT / "functions" / function,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not LATER[function] & set(done.stdout.split())
