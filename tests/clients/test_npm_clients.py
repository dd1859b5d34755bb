"""Clients of AgentOS from npm, unchanged, in node. What is asked of them stands in ``npm/agno_client.cjs``."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.served import Served
from tests.process import ROOT

pytestmark = pytest.mark.clients

_NPM = Path(__file__).parent / "npm"
_MODULES = ROOT / ".venvs/clients/node_modules"


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
@pytest.mark.skipif(not _MODULES.is_dir(), reason="npm could not be reached: `make test-clients` installs the clients")
@pytest.mark.parametrize("package", ["@rodrigocoliveira/agno-client", "@antipopp/agno-client"])
def test_a_client_does_all_that_we_serve(locked_stack: Served, package: str) -> None:
    given = {"NODE_PATH": str(_MODULES), "PACKAGE": package, "URL": locked_stack.url, "KEY": locked_stack.key}
    done = subprocess.run(
        ["node", "--test", "--test-reporter=spec", _NPM / "agno_client.cjs"],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
