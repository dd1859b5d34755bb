"""Users of a pool of Cognito call ``make run``: what one of them has is hidden from the other."""

from __future__ import annotations

import httpx
import pytest
from websockets.sync.client import connect

from scripts.smoke.checks import CHECKS, Result, run
from scripts.smoke.target import discover
from tests.identity.cognito import new_pool
from tests.local.websocket_client import Client
from tests.local_stack import running_stack

pytestmark = pytest.mark.build

SCOPES = ("agents:read", "agents:run", "workflows:run")
MORE_SCOPES = ("workflows:read", "sessions:read", "memories:read", "memories:write", "memories:delete")


def test_users_sign_up_and_run_what_nobody_else_sees(cloud_url, boto_session, tmp_path):
    pool = new_pool(cloud_url, boto_session, *SCOPES, *MORE_SCOPES)
    zoe, yan = (pool.signed_up(name, *SCOPES)["AccessToken"] for name in ("zoe", "yan"))
    stranger = pool.signed_up("stranger")["AccessToken"]
    with (
        running_stack(tmp_path / "state", pool.variables) as stack,
        httpx.Client(base_url=stack.url, timeout=60) as http,
    ):

        def ask(method, path, token=None, **arguments):
            headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
            return http.request(method, path, headers=headers, **arguments)

        runs = "/agents/assistant/runs"
        assert ask("GET", "/info").json()["auth_mode"] == "jwt"
        assert ask("POST", runs, data={"message": "Hello"}).status_code == 401
        assert ask("POST", runs, stranger, data={"message": "Hello"}).status_code == 403
        ended = ask("POST", runs, zoe, data={"message": "Hello", "user_id": "yan"}).json()
        assert ended["status"] == "COMPLETED"
        assert [ask("GET", f"{runs}/{ended['run_id']}", each).status_code for each in (zoe, yan)] == [200, 404]
        follow = {"data": {"last_event_index": "-1"}}
        assert [ask("POST", f"{runs}/{ended['run_id']}/resume", each, **follow).status_code for each in (zoe, yan)] == [
            200,
            404,
        ]
        url = f"ws://127.0.0.1:{stack.port}/workflows/ws"
        with Client(url, zoe) as socket:
            assert socket.receive()["message"] == "JWT authentication successful."
            socket.send(action="start-workflow", workflow_id="letter", message="hi", session_id="letters")
            assert socket.until("WorkflowCompleted")[0]["event"] == "WorkflowStarted"
        with connect(url) as unknown:
            assert '"requires_auth": true' in unknown.recv()
        token = pool.signed_up("ann", *SCOPES, *MORE_SCOPES)["AccessToken"]
        assert what_smoke_finds_wrong(stack.url, token) == []


def what_smoke_finds_wrong(url: str, token: str) -> list[Result]:
    """With a token in place of the key, of what differs with one."""
    target = discover(url, token, streams=True, origin="https://os.agno.com")
    differs = {
        "requires_the_key",
        "lists_sessions",
        "keeps_memories",
        "greets_and_authenticates",
        "follows_and_rejoins",
    }
    results = list(run(target, [each for each in CHECKS if each.run.__name__ in differs]))
    assert len(results) == len(differs)
    return [result for result in results if result.outcome != "pass"]
