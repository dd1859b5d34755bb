"""agno's own command, of the package agnoctl, unchanged, with service accounts."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.clients.served import KEY, Served
from tests.process import ROOT

pytestmark = pytest.mark.clients


@pytest.fixture
def closed(locked_stack: Served) -> Iterator[httpx.Client]:
    """A client without the key."""
    with httpx.Client(base_url=locked_stack.url, timeout=60) as client:
        yield client


def agno(closed: httpx.Client, home: str, *arguments: str, succeeds: bool = True) -> Any:
    """What the command says, as JSON."""
    done = subprocess.run(
        [ROOT / ".venvs/dev/bin/agno", *arguments, "--url", str(closed.base_url), "--json"],
        env={"AGNO_ADMIN_TOKEN": KEY, "HOME": home, "PATH": "/usr/bin:/bin"},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) == succeeds, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_agnos_own_command_creates_lists_and_revokes_accounts(closed, tmp_path):
    home = str(tmp_path)
    made = agno(closed, home, "tokens", "create", "ci-bot", "-s", "agents:run", "-s", "agents:read", "--expires", "30d")
    token = {"Authorization": f"Bearer {made['token']}"}
    assert (made["principal"], made["scopes"]) == ("sa:ci-bot", ["agents:run", "agents:read"])
    ran = closed.post("/agents/assistant/runs", json={"message": "hello"}, headers=token)
    assert ran.json()["user_id"] == "sa:ci-bot"
    taken = agno(closed, home, "tokens", "create", "ci-bot", succeeds=False)
    assert taken["error"] == "A service account named 'ci-bot' already exists."
    agno(closed, home, "tokens", "revoke", "ci-bot", "--yes")
    listed = json.dumps(agno(closed, home, "tokens", "list"))
    assert "ci-bot" in listed
    assert '"revoked_at": null' not in listed
    assert made["token"] not in listed
    bill = closed.get("/usage", headers={"Authorization": f"Bearer {KEY}"}).json()
    assert "sa:ci-bot" in [line["account"] for line in bill["data"]]


def test_agnos_own_command_cannot_connect_coding_agents_since_no_mcp_is_served(closed, tmp_path):
    said = agno(closed, str(tmp_path), "connect", succeeds=False)
    assert "its MCP server is not enabled" in said["error"]
