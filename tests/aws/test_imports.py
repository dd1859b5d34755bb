"""What a cold start imports: each of these costs a client a part of a second."""

import gc
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import pytest

from agentos_lambda.engine.components.manifest import VERSION
from agentos_lambda.lighter_imports import without_collections, without_pydantic_1
from tests.process import ROOT

BUILD_ONLY = {
    "agentos_lambda.api.account_answers",
    "agentos_lambda.api.answers",
    "agentos_lambda.api.openapi.build_document",
}
"""What the API document is made of, and by."""

NEVER = {"pydantic.v1"}
"""A part of every start that nothing here uses."""

OF_TOKENS = {"jwt", "cryptography", "agentos_lambda.identity.tokens"}
"""Where none are configured, nothing verifies them."""

SDKS = {"agno", "boto3"}
WEB = {"fastapi", "starlette", "pydantic"}
NEVER_WITHOUT_A_STORE = ("control", "follow")
"""They import boto3 while they start, when Lambda gives more of a processor than later."""
LATER = {
    "config": {
        "agentos_lambda.stores.dynamodb",
        "agentos_lambda.runs.execution",
        "agentos_lambda.runs.model",
        "botocore",
        *SDKS,
        *BUILD_ONLY,
    },
    "control": {"agno", *BUILD_ONLY},
    "follow": {"agno", *BUILD_ONLY},
    "agents": {"agentos_lambda.websocket.delivery", *SDKS, *BUILD_ONLY},
    "teams": {"agentos_lambda.websocket.delivery", *SDKS, *BUILD_ONLY},
    "workflows": SDKS | BUILD_ONLY,
    "worker": SDKS | WEB,
    "sweeper": SDKS | WEB,
    "websocket": SDKS | WEB,
}


MOST_MODULES = {
    "config": 510,
    "control": 815,
    "follow": 795,
    "agents": 620,
    "teams": 620,
    "workflows": 645,
    "worker": 345,
    "sweeper": 345,
    "websocket": 335,
}
"""How many modules a function has when it has started: a few more than it had when this was written."""


STARTED = """
import gc, sys, app
modules = [*sys.modules]
from agentos_lambda.stores.clients import Clients
print(sum(isinstance(each, Clients) for each in gc.get_objects()), *modules)
"""
"""Prints how many sets of clients the function has, each of which would have a session of boto3, and its modules."""


@pytest.mark.parametrize("function", LATER)
def test_a_function_starts_without_what_only_its_later_work_needs(function, tmp_path):
    nothing = {"agents": [], "teams": [], "workflows": [], "models": [], "providers": {}, "os": {}}
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"version": VERSION, "engine_version": "1", **nothing}))
    aws = {"AWS_DEFAULT_REGION": "eu-west-1", "SECURITY_KEY_SECRET": "arn:key", "ACCOUNTS_TABLE": "Accounts"}
    variables = {"AGENTOS_MANIFEST": str(manifest), **aws}  # as Lambda sets them
    done = subprocess.run(
        [sys.executable, "-c", STARTED],
        cwd=ROOT / "functions" / function,
        env={"PYTHONPATH": str(ROOT / "layers" / "agentos_lambda"), **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    clients, *modules = done.stdout.split()
    imported = set(modules)
    assert not (LATER[function] | OF_TOKENS | NEVER) & imported
    assert len(imported) <= MOST_MODULES[function]
    assert ("boto3" in imported) == (function in NEVER_WITHOUT_A_STORE)
    assert int(clients) <= 1


def test_only_the_thread_that_does_without_pydantic_1_cannot_import_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "pydantic.v1", raising=False)
    with without_pydantic_1(), ThreadPoolExecutor(1) as another:
        assert another.submit(find_spec, "pydantic.v1").result() is not None
        with pytest.raises(ImportError):
            find_spec("pydantic.v1")
    assert find_spec("pydantic.v1") is not None


def test_no_garbage_is_collected_while_something_is_imported():
    with without_collections():
        assert not gc.isenabled()
        with without_collections():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


INSTRUCTIONS = {"config": 1_516, "control": 2_675}
"""Millions, of a start in Python 3.11 with byte code."""


@pytest.fixture(scope="module")
def byte_code(tmp_path_factory):
    """A folder for that of all starts: they import mostly the same."""
    return tmp_path_factory.mktemp("byte-code")


@pytest.mark.sample
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="there is no valgrind here")
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the counts are those of Python 3.11")
@pytest.mark.parametrize("function", INSTRUCTIONS)
def test_a_start_takes_as_many_instructions_as_before(function, tmp_path, byte_code):
    nothing = {"agents": [], "teams": [], "workflows": [], "models": [], "providers": {}, "os": {}}
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"version": VERSION, "engine_version": "1", **nothing}))
    started = {
        "args": [sys.executable, "-c", "import app"],
        "cwd": ROOT / "functions" / function,
        "env": {
            "AGENTOS_MANIFEST": str(manifest),
            "AWS_DEFAULT_REGION": "eu-west-1",
            "PATH": os.environ["PATH"],
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": str(ROOT / "layers" / "agentos_lambda"),
            "PYTHONPYCACHEPREFIX": str(byte_code),
        },
    }
    subprocess.run(check=True, **started)  # makes what there is none of
    valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    counted = subprocess.run(
        **{**started, "args": [*valgrind, *started["args"]]}, check=True, capture_output=True, text=True
    )
    [count] = re.findall(r"I\s+refs:\s+([\d,]+)", counted.stderr)
    assert int(count.replace(",", "")) / 1e6 == pytest.approx(INSTRUCTIONS[function], rel=0.05)
