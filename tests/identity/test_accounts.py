"""Service accounts: who creates them, what their tokens are worth, and for how long."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import Counter
from secrets import token_bytes
from typing import Any

import pytest

from agentos_lambda.api import sse
from agentos_lambda.identity.accounts.known import COUNTS_MS, MAX_FAILURES, KnownAccounts
from agentos_lambda.identity.accounts.model import DEFAULT_SCOPES, id_of, is_token, new_token
from agentos_lambda.identity.accounts.service import DAY_MS, AccountService, NewAccount
from agentos_lambda.identity.errors import AccountsUnavailable, TooManyFailures, WrongAccount
from agentos_lambda.identity.principal import KEY_HOLDER
from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.errors import NotFound, StoreUnavailable
from agentos_lambda.stores.memory import MemoryAccounts
from tests.api.world import Api
from tests.clocks import ManualClock
from tests.identity.tokens import claims, signed, verifier
from tests.runs.world import World

pytestmark = pytest.mark.anyio

KEY = {"Authorization": "Bearer the key"}
PATH = "/service-accounts"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class Known:
    """Accounts of one environment, over a store that counts its reads."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryAccounts()
        self.reads: Counter[str] = Counter()
        self.up = True
        self.known = KnownAccounts(self.find, self.clock)
        self.service = AccountService(self.store, self.clock, random_bytes=token_bytes)

    def find(self, account_id: str) -> Any:
        self.reads[account_id] += 1
        if not self.up:
            raise StoreUnavailable("gone")
        return self.store.find(account_id)

    def token(self, name: str = "ci-bot", days: int | None = None) -> str:
        return self.service.create(KEY_HOLDER, NewAccount(name, DEFAULT_SCOPES, days))[1]


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def api() -> Api:
    return Api(World(), key="the key")


@pytest.fixture
def users() -> Api:
    world = World()
    return Api(world, key="the key", tokens=verifier(world.clock, "HS256"))


def user(api: Api, subject: str, *scopes: str) -> dict[str, str]:
    return bearer(signed(claims(api.world.clock, sub=subject, scopes=list(scopes)), "HS256"))


async def created(api: Api, headers: dict[str, str], status: int = 201, **fields: Any) -> Any:
    answer = await api.client.post(PATH, json={"name": "ci-bot", **fields}, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_token_has_the_prefix_of_agentos_and_256_bits_that_nobody_can_guess():
    tokens = {new_token(token_bytes) for _ in range(50)}
    assert len(tokens) == 50
    assert all(is_token(token) and re.fullmatch("agno_pat_[0-9A-Za-z]{38,43}", token) for token in tokens)
    assert is_token(new_token(lambda count: b"\x01".rjust(count, b"\x00"))) is True


async def test_an_account_is_created_as_agentos_creates_it_and_its_token_is_shown_once(api):
    account = await created(api, KEY)
    token = account.pop("token")
    now = api.world.clock.now() // 1000
    assert account == {
        "id": id_of(hashlib.sha256(token.encode()).hexdigest()),
        "name": "ci-bot",
        "principal": "sa:ci-bot",
        "user_id": None,
        "token_prefix": token[:16],
        "scopes": [
            {
                "id": None,
                "raw": scope,
                "namespace": scope.split(":")[0],
                "sub_namespace": None,
                "permission": scope.split(":")[1],
                "value": "allow",
            }
            for scope in DEFAULT_SCOPES
        ],
        "created_at": now,
        "expires_at": now + 90 * 86_400,
        "last_used_at": None,
        "revoked_at": None,
        "created_by": None,
        "limits": None,
    }
    listed = (await api.client.get(PATH, headers=KEY)).json()
    assert listed == {
        "data": [account],
        "meta": {"page": 1, "limit": 20, "total_pages": 1, "total_count": 1, "search_time_ms": 0.0},
    }
    stored = repr(api.accounts.__dict__)
    assert token not in stored
    assert hashlib.sha256(token.encode()).hexdigest() in stored


@pytest.mark.parametrize(
    ("fields", "status", "detail"),
    [
        ({"name": "Bad Name"}, 422, "Name must be a lowercase slug"),
        ({"name": "a\n"}, 422, "Name must be a lowercase slug"),
        ({"name": ""}, 422, "Name must be a lowercase slug"),
        ({"name": "x" * 64}, 422, "at most 63 characters"),
        ({"name": 1}, 422, "valid string"),
        ({"scopes": ["agents:run"]}, 422, "scopes.0"),
        ({"scopes": [{"scope": "nope"}]}, 400, "Invalid scope(s): nope"),
        ({"scopes": [{"scope": "*"}, {"scope": "a:b"}, {"scope": "a:"}]}, 400, "Invalid scope(s): *, a:"),
        ({"scopes": [{"scope": "agents:run", "effect": "deny"}]}, 422, "(got 'deny' for 'agents:run')"),
        (
            {"scopes": [{"scope": "agents:write"}]},
            400,
            "Privileged scope(s) require allow_privileged_scopes=true: agents:write. Privileged tokens",
        ),
        ({"scopes": [{"scope": "agents:x:delete"}]}, 400, "Privileged scope(s)"),
        ({"scopes": [{"scope": "agent_os:admin"}]}, 400, "Privileged scope(s)"),
        ({"scopes": [{"scope": "service_accounts:read"}]}, 400, "Privileged scope(s)"),
        ({"expires_in_days": 0}, 422, "greater than or equal to 1"),
        ({"expires_in_days": 4000}, 422, "less than or equal to 3650"),
    ],
)
async def test_what_no_account_may_be_is_refused_in_the_words_of_agentos(api, fields, status, detail):
    assert detail in (await created(api, KEY, status, **fields))["detail"]
    assert (await api.client.get(PATH, headers=KEY)).json()["data"] == []


@pytest.mark.parametrize(
    ("fields", "scopes", "days"),
    [
        ({"scopes": []}, [], 90),
        ({"scopes": None, "expires_in_days": None}, list(DEFAULT_SCOPES), 90),
        ({"never_expires": True, "expires_in_days": 3}, list(DEFAULT_SCOPES), None),
        ({"scopes": [{"scope": "foo:bar"}, {"scope": "agents:x:run"}], "extra": 1}, ["foo:bar", "agents:x:run"], 90),
        ({"scopes": [{"scope": "agents:write"}], "allow_privileged_scopes": True}, ["agents:write"], 90),
    ],
)
async def test_what_an_account_may_be(api, fields, scopes, days):
    account = await created(api, KEY, **fields)
    assert [scope["raw"] for scope in account["scopes"]] == scopes
    expires_at = None if days is None else account["created_at"] + days * 86_400
    assert account["expires_at"] == expires_at


async def test_an_older_name_of_a_resource_is_shown_under_its_name_of_today(api):
    [scope] = (await created(api, KEY, scopes=[{"scope": "system:*:read"}]))["scopes"]
    assert (scope["raw"], scope["namespace"], scope["sub_namespace"]) == ("system:*:read", "config", "*")


@pytest.mark.parametrize("revoked", [True, False])
@pytest.mark.parametrize("way", ["executed", "followed"])
async def test_a_stream_tells_a_revoked_account_nothing_after_a_minute_and_its_run_goes_on(
    api, monkeypatch, way, revoked
):
    begun = asyncio.Event()

    async def app(scope, receive, send):
        async def watched(message):
            await send(message)
            if message["type"] == "http.response.body":
                begun.set()

        await api.app(scope, receive, watched)

    monkeypatch.setattr(sse, "ASK_AFTER_SECONDS", 0)
    account = await created(api, KEY)
    headers, path = bearer(account["token"]), "/agents/assistant/runs"
    api.world.engine.script["hold"] = True
    api.client._transport.app = app
    if way == "executed":
        asked = asyncio.create_task(api.client.post(path, json={"message": "hi", "stream": "true"}, headers=headers))
    else:
        execution = await api.world.held(user_id="sa:ci-bot", stream=True)
        path = f"{path}/{execution.record.run_id}/resume"
        asked = asyncio.create_task(api.client.post(path, headers=headers))
    await begun.wait()
    run = api.world.engine.runs[0]
    await run.reached_hold.wait()
    if revoked:
        api.accounts.revoke(api.accounts.all()[0], now=api.world.clock.now())
    api.world.clock.advance(COUNTS_MS)
    run.release()
    text = (await asked).raise_for_status().text
    assert text.endswith(sse.REVOKED) is revoked
    assert ("RunCompleted" in text) is not revoked
    await api.world.executor.idle()
    assert api.world.store.get(run.request.run_id).status is RunStatus.COMPLETED


async def test_an_open_api_creates_no_account_since_that_would_outlive_it():
    api = Api(World(), key=None)
    refused = await created(api, {}, 401)
    assert refused["detail"] == "JWT authentication is required to mint a service account."
    assert (await api.client.get(PATH)).status_code == 200


async def test_nobody_gives_an_account_more_than_it_has(users):
    limited = user(users, "alice", "service_accounts:write", "agents:run", "agents:x:read", "sessions:read")
    refused = await created(users, limited, 403)
    assert refused["detail"] == "Cannot grant scope(s) you do not hold: teams:run, workflows:run, config:read"
    held = [{"scope": scope} for scope in ("agents:run", "agents:y:run", "agents:x:read")]
    account = await created(users, limited, scopes=held)
    assert (account["user_id"], account["created_by"]) == ("alice", "alice")
    refused = await created(users, limited, 403, name="b", scopes=[{"scope": "agents:*:read"}])
    assert refused["detail"] == "Cannot grant scope(s) you do not hold: agents:*:read"
    as_account = await created(
        users,
        user(users, "root", "agent_os:admin"),
        name="minter",
        scopes=[{"scope": "service_accounts:write"}],
        allow_privileged_scopes=True,
    )
    await created(users, bearer(as_account["token"]), 403, name="c")


async def test_each_user_sees_and_revokes_its_own_accounts_only(users):
    scopes = [f"service_accounts:{each}" for each in ("read", "write", "delete")]
    alice, bob = (user(users, name, *scopes, *DEFAULT_SCOPES) for name in ("alice", "bob"))
    root = user(users, "root", "agent_os:admin")
    of_alice, of_bob = await created(users, alice, name="a"), await created(users, bob, name="b")
    nobodys = users.account_service.create(KEY_HOLDER, NewAccount("c", (), None))[0]
    names = {
        who: [
            each["name"]
            for each in (await users.client.get(f"{PATH}?sort_by=name&sort_order=asc", headers=headers)).json()["data"]
        ]
        for who, headers in (("alice", alice), ("bob", bob), ("root", root))
    }
    assert names == {"alice": ["a", "c"], "bob": ["b", "c"], "root": ["a", "b", "c"]}
    for account_id in (of_bob["id"], "unknown"):
        answer = await users.client.delete(f"{PATH}/{account_id}", headers=alice)
        assert (answer.status_code, answer.json()["detail"]) == (404, f"Service account '{account_id}' not found")
    answer = await users.client.delete(f"{PATH}/{nobodys.id}", headers=alice)
    assert (answer.status_code, answer.json()["detail"]) == (403, "Cannot revoke a workspace-level service account")
    for headers, account_id in ((alice, of_alice["id"]), (root, of_bob["id"]), (root, of_bob["id"])):
        assert (await users.client.delete(f"{PATH}/{account_id}", headers=headers)).status_code == 204
    assert (await users.client.get(f"{PATH}?include_revoked=false", headers=root)).json()["meta"]["total_count"] == 1


async def test_a_name_is_free_again_once_its_account_is_revoked(api):
    first = await created(api, KEY)
    taken = "An active service account named 'ci-bot' already exists. Revoke it first to rotate."
    assert (await created(api, KEY, 409))["detail"] == taken
    await api.client.delete(f"{PATH}/{first['id']}", headers=KEY)
    second = await created(api, KEY)
    assert second["token"] != first["token"]


async def test_the_name_of_an_account_is_never_another_users(users):
    """Who has it acts as the account, and would see its runs."""
    scopes = [f"service_accounts:{each}" for each in ("write", "delete")]
    alice, bob = (user(users, name, *scopes, *DEFAULT_SCOPES) for name in ("alice", "bob"))
    root = user(users, "root", "agent_os:admin")
    for owner, name in ((alice, "of-alice"), (root, "of-root")):
        for _ in range(2):
            account = await created(users, owner, name=name)
            active = await created(users, bob, 409, name=name)
            assert (
                active["detail"]
                == f"An active service account named '{name}' already exists. Revoke it first to rotate."
            )
            await users.client.delete(f"{PATH}/{account['id']}", headers=root)
            revoked = await created(users, bob, 409, name=name)
            assert revoked["detail"] == f"The service account '{name}' was somebody else's. Choose another name."
    await created(users, alice, 409, name="of-root")
    await created(users, root, name="of-alice")


async def test_lists_are_in_pages_in_the_order_that_was_asked_for(api):
    for name in ("b", "a", "c"):
        await created(api, KEY, name=name, never_expires=name == "a")
        api.world.clock.advance(1_000)

    async def names(query: str) -> list[str]:
        return [each["name"] for each in (await api.client.get(f"{PATH}?{query}", headers=KEY)).json()["data"]]

    assert await names("") == await names("sort_by=unknown&sort_order=unknown") == ["c", "a", "b"]
    assert await names("sort_by=name&limit=2&page=2") == ["a"]
    assert await names("sort_by=expires_at&sort_order=asc") == ["a", "b", "c"]
    for query in ("limit=0", "limit=101", "page=0"):
        assert (await api.client.get(f"{PATH}?{query}", headers=KEY)).status_code == 422


async def test_an_account_acts_as_itself_and_sees_what_is_its_own_beside_the_key(api):
    account = await created(api, KEY)
    headers, runs = bearer(account["token"]), "/agents/assistant/runs"
    body = {"message": "hi", "stream": "false", "user_id": "alice"}
    own = (await api.client.post(runs, json=body, headers=headers)).raise_for_status().json()
    others = (await api.client.post(runs, json=body, headers=KEY)).raise_for_status().json()
    records = [api.world.store.get(run["run_id"]) for run in (own, others)]
    assert [record.user_id for record in records] == ["sa:ci-bot", "alice"]
    sessions = {
        name: [each["session_id"] for each in (await api.client.get("/sessions", headers=who)).json()["data"]]
        for name, who in (("account", headers), ("key", KEY))
    }
    assert sessions["account"] == [records[0].session_id]
    assert set(sessions["key"]) == {record.session_id for record in records}
    refused = await api.client.get("/memories", headers=headers)
    assert refused.json()["detail"] == "Insufficient permissions. Required scope(s): memories:read"


async def test_a_privileged_account_sees_everything(api):
    admin = await created(api, KEY, scopes=[{"scope": "agent_os:admin"}], allow_privileged_scopes=True)
    other = (await api.client.post("/agents/assistant/runs", json={"message": "hi"}, headers=KEY)).json()
    path = f"/agents/assistant/runs/{other['run_id']}"
    assert (await api.client.get(path, headers=bearer(admin["token"]))).status_code == 200


async def test_a_limit_of_an_account_is_429_with_its_name_and_when_to_come_back(api):
    limits = {"runs_per_month": 1, "runs_at_once": None}
    account = await created(api, KEY, limits=limits)
    assert account["limits"] == limits
    headers, runs = bearer(account["token"]), "/agents/assistant/runs"
    answers = [await api.client.post(runs, json={"message": "hi"}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].json() == {"detail": "The limit runs_per_month of 1 is reached", "error_code": "LIMIT_REACHED"}
    assert int(answers[1].headers["retry-after"]) > 0
    assert (await api.client.post(runs, json={"message": "hi"}, headers=KEY)).status_code == 200


@pytest.mark.parametrize(
    "limits", [{"runs_per_month": 0}, {"runs_per_day": 1}, {"runs_at_once": True}, {"runs_at_once": "5"}, 5]
)
async def test_what_is_no_limit_makes_no_account(api, limits):
    await created(api, KEY, 422, limits=limits)


async def test_limits_of_a_token_are_its_users_and_let_it_create_no_account(users):
    limits = {"agentos_limits": {"runs_at_once": 1, "runs_per_month": 1}}
    scopes = ["agents:run", "service_accounts:write"]
    headers = bearer(signed(claims(users.world.clock, sub="alice", scopes=scopes, **limits), "HS256"))
    statuses = [
        (await users.client.post("/agents/assistant/runs", json={"message": "hi"}, headers=headers)).status_code
        for _ in range(2)
    ]
    assert statuses == [200, 429]
    refused = await created(users, headers, 403, scopes=[{"scope": "agents:run"}])
    assert refused["detail"] == "Cannot create a service account: this caller has limits itself"
    wrong = bearer(signed(claims(users.world.clock, agentos_limits={"runs": 1}), "HS256"))
    assert (await users.client.get("/agents", headers=wrong)).status_code == 401


async def test_a_revoked_account_gets_the_same_answer_as_one_that_never_was(api, caplog):
    caplog.set_level("INFO")
    account = await created(api, KEY)
    headers = bearer(account["token"])
    assert (await api.client.get("/config", headers=headers)).status_code == 200
    for _ in range(2):
        assert (await api.client.delete(f"{PATH}/{account['id']}", headers=KEY)).status_code == 204
    answers = [
        await api.client.get("/config", headers=each)
        for each in (headers, bearer("agno_pat_" + "x" * 40), bearer("agno_pat_"))
    ]
    assert {(answer.status_code, answer.json()["detail"]) for answer in answers} == {
        (401, "Invalid or expired service account token")
    }
    lines = {record.message for record in caplog.records if "audit" in record.message}
    assert lines >= {"audit: service account revoked", "audit: refused GET /config"}
    assert account["token"] not in caplog.text


def test_an_account_is_read_once_a_minute_and_revoked_within_it(known):
    token = known.token()
    account_id = known.known.verify(token).account_id
    for _ in range(10):
        known.clock.advance(COUNTS_MS // 10 - 1)
        known.known.verify(token)
    assert known.reads == {account_id: 1}
    known.store.revoke(known.store.find(account_id), now=known.clock.now())
    known.clock.advance(10)
    for _ in range(2):
        with pytest.raises(WrongAccount):
            known.known.verify(token)
    assert known.known.principal(account_id) is None
    assert known.reads == {account_id: 2}


def test_an_account_expires_to_the_millisecond_although_it_is_remembered(known):
    token = known.token(days=1)
    known.clock.advance(DAY_MS - 1)
    assert known.known.verify(token).subject == "sa:ci-bot"
    known.clock.advance(1)
    with pytest.raises(WrongAccount):
        known.known.verify(token)


def test_a_token_with_the_right_first_half_of_the_hash_is_still_a_wrong_one(known):
    account = known.store.find(known.known.verify(known.token()).account_id)
    forged = KnownAccounts(lambda _: account, known.clock)
    with pytest.raises(WrongAccount):
        forged.verify("agno_pat_" + "x" * 40)


def test_wrong_tokens_from_one_address_get_429_after_a_while_and_right_ones_are_never_held_up(known):
    right, wrong = known.token(), "agno_pat_" + "x" * 40
    for attempt in range(MAX_FAILURES + 5):
        with pytest.raises(WrongAccount if attempt < MAX_FAILURES else TooManyFailures):
            known.known.verify(wrong, "192.0.2.1")
    assert known.known.verify(right, "192.0.2.1").subject == "sa:ci-bot"
    with pytest.raises(WrongAccount):
        known.known.verify(wrong, "192.0.2.2")
    known.clock.advance(60_000)
    with pytest.raises(WrongAccount):
        known.known.verify(wrong, "192.0.2.1")


@pytest.mark.parametrize(
    "token", ["agno_pat_", "agno_pat_é" * 9, "agno_pat_" + "x" * 65, "agno_pat_" + "x" * 40 + "\n"]
)
def test_what_cannot_be_a_token_costs_no_read(known, token):
    with pytest.raises(WrongAccount):
        known.known.verify(token)
    assert not known.reads


@pytest.mark.parametrize("account_id", ["", "unknown", "x" * 3_000, f"{'0' * 8}-0000-8000-8000-{'0' * 12}\n"])
def test_what_cannot_be_the_id_of_an_account_costs_no_read(known, monkeypatch, account_id):
    """DynamoDB refuses a key of over 2,048 bytes."""
    monkeypatch.setattr(known.store, "find", known.find)
    with pytest.raises(NotFound):
        known.service.revoke(KEY_HOLDER, account_id)
    assert not known.reads


def test_the_memory_of_accounts_and_of_failures_is_bounded(known):
    for number in range(2_100):
        with pytest.raises(WrongAccount):
            known.known.verify(f"agno_pat_{number:040}", str(number))
    assert (len(known.known._read), len(known.known._failures._counted)) == (2_048, 1_024)


async def test_while_accounts_cannot_be_read_nobody_is_let_in_and_no_failure_is_counted(known):
    token, known.up = known.token(), False
    for _ in range(MAX_FAILURES + 1):
        with pytest.raises(AccountsUnavailable):
            known.known.verify(token)
    known.up = True
    assert known.known.verify(token).subject == "sa:ci-bot"
    api = Api(World(), key="the key")
    api.authority._accounts = KnownAccounts(known.find, known.clock)
    known.up = False
    answer = await api.client.get("/config", headers=bearer("agno_pat_" + "x" * 40))
    assert (answer.status_code, answer.json()["detail"]) == (503, "Authentication is temporarily unavailable")


async def test_too_many_wrong_tokens_are_told_when_to_come_back(api):
    answers = [await api.client.get("/config", headers=bearer("agno_pat_x")) for _ in range(MAX_FAILURES + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {401}
    assert (answers[-1].status_code, answers[-1].headers["retry-after"]) == (429, "60")
    assert answers[-1].json()["detail"] == "Too many failed authentication attempts"
