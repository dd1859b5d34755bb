"""A service account on the deployed stack: what it may do, what it may not any more, and what it has used."""

from __future__ import annotations

import pytest

from tests.e2e.client import client_of
from tests.waiting import until

pytestmark = pytest.mark.build

RUNS = "/agents/assistant/runs"
SCOPES = ("agents:run", "agents:read", "usage:read")


def test_an_account_runs_up_to_its_limit_is_billed_and_is_revoked(deployment, api):
    scopes = [{"scope": scope} for scope in SCOPES]
    wanted = {"name": "e2e-bot", "scopes": scopes, "limits": {"runs_per_month": 1, "runs_at_once": 1}}
    made = api.post("/service-accounts", json=wanted)
    assert made.status_code == 201
    account = made.json()

    with client_of(deployment.url, account["token"]) as bot:
        run = bot.post(RUNS, json={"message": "Hello", "user_id": "somebody"}).json()
        assert (run["status"], run["user_id"]) == ("COMPLETED", "sa:e2e-bot")
        over = bot.post(RUNS, json={"message": "Hello"})
        assert (over.status_code, "runs_per_month" in over.json()["detail"]) == (429, True)
        assert int(over.headers["Retry-After"]) > 0

        used = until(lambda: bot.get("/usage").json()["data"])
        assert [(line["account"], line["runs"]) for line in used] == [("sa:e2e-bot", 1)]
        assert "e2e-bot" in [each["name"] for each in api.get("/service-accounts").json()["data"]]

        assert api.delete(f"/service-accounts/{account['id']}").status_code == 204
        assert bot.get("/usage").status_code == 401
