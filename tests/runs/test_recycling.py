"""A run that leaves code behind: no other run has to share its process."""

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.stores.memory import MemoryStore
from tests.runs.world import World

pytestmark = pytest.mark.anyio


class Recording(MemoryStore):
    """Notes how often the process had been recycled when a run was committed."""

    world: World
    recycled_at_commit: int | None = None

    def commit(self, ending):
        self.recycled_at_commit = self.world.recycled
        return super().commit(ending)


async def test_a_run_that_leaves_code_behind_is_committed_and_then_recycles_its_process():
    store = Recording()
    store.world = world = World(store=store)
    world.engine.script["leaves_behind"] = True
    ended = await world.run()

    assert ended.record.status is RunStatus.COMPLETED
    assert (store.recycled_at_commit, world.recycled) == (0, 1)


async def test_a_run_that_leaves_nothing_behind_recycles_no_process(world):
    await world.run()

    assert world.recycled == 0


async def test_a_process_is_recycled_even_if_the_ending_cannot_be_stored():
    class Down(MemoryStore):
        def commit(self, ending):
            raise StoreUnavailable("down")

    world = World(store=Down())
    world.engine.script["leaves_behind"] = True
    with pytest.raises(StoreUnavailable):
        await world.run()

    assert world.recycled == 1
