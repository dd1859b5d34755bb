"""``GET /usage``: the sums, who sees which, and that they are what was used."""

from __future__ import annotations

import asyncio
import csv
import io
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.commands import ContinueRun
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.model import AttemptResult, Continuation
from agentos_lambda.runs.timing import CLOCK_SKEW_MS, LEASE_MS
from agentos_lambda.runs.usage import Usage
from tests.api.world import Api
from tests.clocks import ManualClock
from tests.identity.tokens import claims, signed, verifier
from tests.runs.world import World, component
from tests.sessions.test_deleting import Sessions

pytestmark = pytest.mark.anyio

KEY = {"Authorization": "Bearer the key"}
RUNS = 1_000
USERS = ("ada", "sa:ci-bot", "eve", None)


def today(clock: ManualClock) -> str:
    return datetime.fromtimestamp(clock.now() / 1000, UTC).date().isoformat()


def user(api: Api, subject: str, *scopes: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed(claims(api.world.clock, sub=subject, scopes=list(scopes)), 'HS256')}"}


@pytest.fixture
def api() -> Api:
    return Api(World(), key="the key")


@pytest.fixture
def users() -> Api:
    world = World()
    return Api(world, key="the key", tokens=verifier(world.clock, "HS256"))


async def bill(api: Api, headers: dict[str, str] = KEY, query: str = "", status: int = 200) -> Any:
    answer = await api.client.get(f"/usage?{query}", headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_bill_has_a_line_for_each_day_and_account(api):
    day = today(api.world.clock)
    await api.world.run(user_id="ada")
    await api.world.run(user_id="eve", account="sa:ci-bot")
    await api.world.run()
    used = {"runs": 1, "input_tokens": 20, "output_tokens": 2, "seconds": 0.0}
    assert await bill(api) == {
        "from": f"{day[:8]}01",
        "to": day,
        "data": [{"day": day, "account": account, **used} for account in (None, "ada", "sa:ci-bot")],
        "total": {"runs": 3, "input_tokens": 60, "output_tokens": 6, "seconds": 0.0},
    }
    assert [line["account"] for line in (await bill(api, query="account=ada"))["data"]] == ["ada"]
    assert (await bill(api, query="from=2020-01-01&to=2020-01-31"))["total"]["runs"] == 0


@pytest.mark.parametrize("begin", "=+-@＝＋－＠")  # noqa: RUF001 - the wide forms count as well
async def test_a_bill_is_csv_for_who_asks_for_it_and_never_a_formula(api, begin):
    await api.world.run(user_id=f"{begin}HYPERLINK(1)")
    answer = await api.client.get("/usage", headers={**KEY, "Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="usage-')
    header, line = csv.reader(io.StringIO(answer.text))
    assert header == ["day", "account", "runs", "input_tokens", "output_tokens", "seconds"]
    assert line == [today(api.world.clock), f"'{begin}HYPERLINK(1)", "1", "20", "2", "0.0"]
    assert (await api.client.get("/usage?format=csv", headers=KEY)).text == answer.text
    as_json = await api.client.get("/usage?format=json", headers={**KEY, "Accept": "text/csv"})
    assert as_json.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("from=2026-01-01&to=2026-01-31", 200),
        ("from=2026-01-01&to=2026-02-01", 400),
        ("from=2026-01-02&to=2026-01-01", 400),
        ("from=yesterday", 422),
        ("format=xml", 422),
    ],
)
async def test_a_bill_is_for_31_days_at_most(api, query, status):
    await bill(api, query=query, status=status)


async def test_whoever_is_no_admin_sees_its_own_whatever_account_it_names(users):
    for subject in ("ada", "eve"):
        headers = user(users, subject, "agents:run", "usage:read")
        await users.client.post("/agents/assistant/runs", json={"message": "hi"}, headers=headers)
    for query in ("", "account=eve"):
        lines = (await bill(users, user(users, "ada", "usage:read"), query))["data"]
        assert [line["account"] for line in lines] == ["ada"]
    assert len((await bill(users, user(users, "root", "agent_os:admin")))["data"]) == 2
    refused = await bill(users, user(users, "ada", "agents:run"), status=403)
    assert refused["detail"] == "Insufficient permissions. Required scope(s): usage:read"


async def test_an_admin_pays_for_a_run_that_it_starts_for_somebody_else(users):
    root = user(users, "root", "agent_os:admin")
    await users.client.post("/agents/assistant/runs", json={"message": "hi", "user_id": "ada"}, headers=root)
    assert [line["account"] for line in (await bill(users, root))["data"]] == ["root"]


async def test_seconds_are_those_of_execution_in_all_attempts(api):
    world = api.world
    world.engine.script = {"status": RunStatus.PAUSED, "hold": True}
    paused = await ended_after(world, await world.held(), ms=2_500)
    world.clock.advance(60_000)
    again = await continued(world, paused.record.run_id)
    while len(world.engine.runs) == 1:
        await asyncio.to_thread(lambda: None)
    await world.engine.runs[-1].reached_hold.wait()
    await ended_after(world, again, ms=2_500)
    assert (await bill(api))["total"] == {"runs": 1, "input_tokens": 40, "output_tokens": 4, "seconds": 5.0}


async def ended_after(world: World, execution: Execution, *, ms: int) -> AttemptResult:
    world.clock.advance(ms)
    world.engine.runs[-1].release()
    return await execution.result()


async def continued(world: World, run_id: str) -> Any:
    return await world.intake.continue_here(ContinueRun(component(), run_id, Continuation(tools=())))


class Ledger:
    """Runs of every sort, and what each of them uses, counted beside the product."""

    def __init__(self, seed: int) -> None:
        self.api = Api(World(), key="the key")
        self.world = self.api.world
        self.sessions = Sessions(self.world)
        self.random = random.Random(seed)  # noqa: S311 - no secret
        self.used: Counter[str | None] = Counter()
        self.runs: Counter[str | None] = Counter()

    async def one(self, number: int) -> None:
        ways = (self.answered, self.queued, self.cancelled, self.killed, self.repeated, self.paused, self.deleted)
        way, user_id = self.random.choice(ways), self.random.choice(USERS)
        self.world.engine.script = {"deltas": ["x"] * self.random.randrange(1, 9)}
        self.runs[user_id] += 1
        self.used[user_id] += await way(number, user_id)

    def words(self) -> int:
        """What the last run of the engine has said: so many tokens has it used."""
        return self.world.engine.runs[-1].tokens

    async def answered(self, _number: int, user_id: str | None) -> int:
        await self.world.run(user_id=user_id, stream=self.random.random() < 0.5)
        return self.words()

    async def queued(self, _number: int, user_id: str | None) -> int:
        self.world.enqueue(user_id=user_id)
        await self.world.work()
        return self.words()

    async def cancelled(self, _number: int, user_id: str | None) -> int:
        if self.random.random() < 0.5:
            self.world.cancel(self.world.enqueue(user_id=user_id).run_id)
            await self.world.work()
            return 0
        self.world.engine.script["hold"] = True
        execution = await self.world.held(user_id=user_id)
        self.world.engine.runs[-1].cancel()
        await execution.result()
        return self.words()

    async def killed(self, number: int, user_id: str | None) -> int:
        """Its executor dies between a renewal and the next one."""
        store, clock, words = self.world.store, self.world.clock, self.random.randrange(9)
        run_id = self.world.enqueue(user_id=user_id).run_id
        self.world.queue.waiting.clear()
        until = clock.now() + LEASE_MS
        record = store.claim(run_id, executor=f"dies-{number}", lease_until=until, expired_before=0)
        if words:
            store.renew(replace(record, usage=Usage(10 * words, words, 0)), lease_until=until)
        clock.advance(LEASE_MS + CLOCK_SKEW_MS + 60_000)
        assert self.world.sweeper.sweep().lost == 1
        return words

    async def repeated(self, number: int, user_id: str | None) -> int:
        first = await self.world.execute(user_id=user_id, idempotency_key=f"key-{number}")
        await first.result()
        words = self.words()
        for _ in range(2):
            await self.world.execute(user_id=user_id, idempotency_key=f"key-{number}")
        return words

    async def paused(self, _number: int, user_id: str | None) -> int:
        self.world.engine.script["status"] = RunStatus.PAUSED
        paused = await self.world.run(user_id=user_id)
        words = self.words()
        if self.random.random() < 0.5:
            self.world.engine.script["status"] = RunStatus.COMPLETED
            await (await continued(self.world, paused.record.run_id)).result()
            words += self.words()
        return words

    async def deleted(self, number: int, user_id: str | None) -> int:
        await self.world.run(user_id=user_id, session_id=f"session-{number}")
        words = self.words()
        self.sessions.service.delete(f"session-{number}")
        self.sessions.work()
        return words


async def test_the_bill_of_a_thousand_runs_is_what_they_have_used(seed):
    ledger = Ledger(seed)
    days = {today(ledger.world.clock)}
    for number in range(RUNS):
        await ledger.one(number)
        days.add(today(ledger.world.clock))
    lines = (await bill(ledger.api, query=f"from={min(days)}&to={max(days)}"))["data"]
    billed, runs = Counter[str | None](), Counter[str | None]()
    for line in lines:
        assert line["input_tokens"] == 10 * line["output_tokens"]
        billed[line["account"]] += line["output_tokens"]
        runs[line["account"]] += line["runs"]
    assert runs == ledger.runs
    assert billed == ledger.used
    assert runs.total() == RUNS
