"""A process that deletes a session, or removes what it held, dies at each of its calls: the deletion still finishes."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.service import RunService
from agentos_lambda.sessions.removal import SessionRemoval
from agentos_lambda.sessions.service import SessionService
from tests.runs.world import OneOfEach, World
from tests.sessions.test_deleting import Sessions

pytestmark = pytest.mark.anyio


class Death(BaseException):
    """Nothing of the process catches it."""


class Mortal:
    """Passes calls on, and dies at one of them: before it is applied, or after."""

    def __init__(self, target: Any, life: Life) -> None:
        self._target = target
        self._life = life

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            ends = self._life.ends_now()
            if ends and not self._life.applies:
                raise Death
            answer = method(*args, **kwargs)
            if ends:
                raise Death
            return answer

        return call


class Life:
    """Ends at the call of this number."""

    def __init__(self, last: int, *, applies: bool) -> None:
        self._left = last
        self.applies = applies

    def ends_now(self) -> bool:
        self._left -= 1
        return self._left == 0


async def with_runs() -> Sessions:
    """A session with runs that have ended, paused, or wait."""
    sessions = Sessions(World())
    for _ in range(2):
        await sessions.world.run(session_id="talk")
    sessions.world.engine.script["status"] = RunStatus.PAUSED
    await sessions.world.run(session_id="talk")
    sessions.world.enqueue(session_id="talk")
    sessions.world.clock.advance(1)
    return sessions


@pytest.mark.parametrize("applies", [False, True])
async def test_a_removal_finishes_wherever_its_process_dies(applies):
    for last in count(1):
        sessions = await with_runs()
        world = sessions.world
        sessions.service.delete("talk")
        life = Life(last, applies=applies)
        mortal: Any = Mortal(world.store, life)
        runs = RunService(mortal, world.clock, new_id=world.new_id)
        removal = SessionRemoval(mortal, runs, OneOfEach(), Mortal(world.queue, life), world.clock)
        try:
            while world.queue.deletions:
                deletion = world.queue.deletions.popleft()
                removal.step(deletion)
                world.clock.advance(10_000)
        except Death:
            world.queue.deletions.append(deletion)  # the queue delivers it again
        else:
            break
        sessions.work()
        assert sessions.is_gone()
        assert world.store.records() == []
    assert last > 20


@pytest.mark.parametrize("applies", [False, True])
async def test_a_deletion_is_whole_or_has_not_begun_wherever_its_process_dies(applies):
    for last in count(1):
        sessions = await with_runs()
        world = sessions.world
        life = Life(last, applies=applies)
        service = SessionService(Mortal(world.store, life), Mortal(world.queue, life), world.clock, new_id=world.new_id)
        try:
            service.delete("talk")
        except Death:
            begun = bool(world.queue.deletions)
        else:
            break
        sessions.work()
        assert sessions.is_gone() == begun
        assert (world.store.find("talk") is None) == begun
    assert last == 4  # it finds the session, sends the message, and puts the note in its place
