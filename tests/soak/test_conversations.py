"""The account of a session can fail: what was lost, came back or was added is noticed."""

from __future__ import annotations

import random

import pytest

from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.model import SessionDelta
from tests.api.world import Api
from tests.soak.conversations import Conversation

pytestmark = pytest.mark.anyio


class Told:
    """A session, and the account of a client that has begun it and run in it."""

    def __init__(self) -> None:
        self.api = Api()
        self.account = Conversation("talk", random.Random(7))  # noqa: S311 - no secret

    async def begin(self) -> None:
        made = self.account
        self.api.sessions.create(
            Kind.AGENT, session_id="talk", name=made.name, fields={"state:changes": made.state["changes"]}
        )
        ended = await self.api.world.run(session_id="talk")
        made.runs.append(ended.record.run_id)

    async def wrong(self) -> str | None:
        return await self.account.wrong(self.api.client)


@pytest.fixture
async def told() -> Told:
    made = Told()
    await made.begin()
    return made


async def test_a_session_that_is_as_its_client_was_told_is_right(told: Told) -> None:
    assert await told.wrong() is None


@pytest.mark.parametrize(
    ("delta", "name"),
    [(SessionDelta({"state:changes": 7}), None), (SessionDelta(remove=frozenset({"state:changes"})), None),
     (SessionDelta(), "another")],
)  # fmt: skip
async def test_a_lost_change_is_noticed(told: Told, delta: SessionDelta, name: str | None) -> None:
    told.api.sessions.change("talk", lambda _: delta, name=name)
    assert await told.wrong() is not None


async def test_a_lost_run_is_noticed(told: Told) -> None:
    told.account.runs.append("never-stored")
    assert await told.wrong() is not None


async def test_a_deleted_session_that_comes_back_is_noticed(told: Told) -> None:
    told.account.deleted = True
    assert await told.wrong() is not None
    told.api.sessions.delete("talk")
    assert await told.wrong() is None
    await told.api.world.run(session_id="talk")  # what a commit did that did not know of the deletion
    assert await told.wrong() is not None


async def test_a_list_that_still_has_a_deleted_session_is_noticed(told: Told) -> None:
    told.api.sessions.delete("talk")
    assert await told.wrong() is not None
