"""Runs that leave code behind: nobody else shall have to live with it."""

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.stores.memory import MemoryStore
from tests.runs.world import World

pytestmark = pytest.mark.anyio


class Recording(MemoryStore):
    """Notes what had been asked of the process when a run was committed."""

    world: World
    retired_at_commit: int | None = None

    def commit(self, ending):
        self.retired_at_commit = self.world.retired
        return super().commit(ending)


async def test_a_run_that_leaves_code_behind_is_committed_and_then_retires_its_process():
    store = Recording()
    store.world = world = World(store=store)
    world.engine.script["leaves_behind"] = True
    ended = await world.run()

    assert ended.record.status is RunStatus.COMPLETED
    assert (store.retired_at_commit, world.retired) == (0, 1)


async def test_a_run_that_leaves_nothing_behind_retires_nobody(world):
    await world.run()

    assert world.retired == 0


async def test_a_process_retires_also_when_the_ending_can_not_be_stored():
    class Down(MemoryStore):
        def commit(self, ending):
            raise StoreUnavailable("down")

    world = World(store=Down())
    world.engine.script["leaves_behind"] = True
    with pytest.raises(StoreUnavailable):
        await world.run()

    assert world.retired == 1
