"""Hundreds of runs on the local stack, whose workers are killed all the time, and the clients' ledger."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from local.settings import Settings
from tests.local_stack import StackProcess, running_stack
from tests.soak.ahead import SweepAhead
from tests.soak.clients import Client
from tests.soak.conversations import Conversation
from tests.soak.ledger import Promise
from tests.soak.memories import RememberedUser
from tests.soak.replay import DURABLE
from tests.soak.workers import kill_a_worker

_PATIENCE_SECONDS = 1_200
"""For the last runs, once no new ones come: a lease, the margin, a sweep; or the visibility timeout of a message whose
worker was killed before it had claimed the run."""


SLICE_SECONDS = 1
"""A run that takes longer is handed over to the next worker."""

DURABLE_COMPONENTS = f"""
agents.append(
    Agent(
        id="{DURABLE}assistant",
        name="Durable assistant",
        model=default_model(),
        tools=[add, count_words],
        metadata={{"durable": True}},
    )
)
workflows.append(
    Workflow(id="{DURABLE}letter", name="Durable letter", steps=letter.steps, metadata={{"durable": True}})
)
"""
"""Beside the samples: their runs are carried on when their worker is killed."""

CONVERSATIONS = 6
"""Sessions that are created, renamed, changed and, half of them, deleted."""
USERS = 2
"""Users of whom runs remember much at the same time."""


@dataclass
class Soak:
    """``seconds`` of load by so many ``clients`` at once; a worker is killed each ``kill_every`` seconds."""

    seconds: float
    clients: int = 8
    runs_each: int = 1
    """So many at least, however slow the machine is."""
    kill_every: float = 4.0
    seed: int = 0
    impatient: bool = False
    """Whether the last sweeps look at clocks that are ahead, instead of waiting for leases to run out."""
    promises: list[Promise] = field(default_factory=list)
    wrong_conversations: list[str] = field(default_factory=list)
    """Sessions that are not as their clients were told."""
    wrong_memories: list[str] = field(default_factory=list)
    """Memories that are lost, doubled, or those of runs that did not complete."""
    killed: int = 0

    def __post_init__(self) -> None:
        self.users = [RememberedUser(f"user-{number}") for number in range(USERS)]
        self.conversations = [
            Conversation(f"conversation-{number}", random.Random(self.seed * 7919 + number))  # noqa: S311 - no secret
            for number in range(CONVERSATIONS)
        ]

    def run(self, state: Path) -> list[Promise]:
        """Start a stack with its state there, put it under load, and end it. Gives what was promised and found."""
        components = state / "soak" / "components.py"
        components.parent.mkdir(parents=True)
        components.write_text(Settings().components_file.read_text() + DURABLE_COMPONENTS)
        with running_stack(state, {"SLICE_SECONDS": str(SLICE_SECONDS)}, components=components) as stack:
            asyncio.run(self._load(stack))
        return self.promises

    async def _load(self, stack: StackProcess) -> None:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=stack.url, timeout=60, limits=limits) as http:
            over = asyncio.get_running_loop().time() + self.seconds
            watchers: list[asyncio.Task[None]] = []
            async with asyncio.TaskGroup() as group:
                for number in range(self.clients):
                    client = Client(http, random.Random(self.seed * 1000 + number))  # noqa: S311 - no secret
                    group.create_task(self._come_again(client, over, watchers))
                for other in self._others():
                    group.create_task(other.live(http))
                group.create_task(self._kill_workers(stack, over))
            watchers += [asyncio.create_task(each.settle(http)) for each in self._others()]
            await self._until_all_have_ended(stack, watchers)
            told = [await each.wrong(http) for each in self.conversations]
            self.wrong_conversations = [each for each in told if each is not None]
            self.wrong_memories = [told for each in self.users for told in await each.wrong(http)]
            client = Client(http, random.Random(self.seed))  # noqa: S311 - no secret
            for promise in self.promises:
                await client.look_back(promise)

    def _others(self) -> list[Conversation | RememberedUser]:
        return [*self.conversations, *self.users]

    async def _come_again(self, client: Client, over: float, watchers: list[asyncio.Task[None]]) -> None:
        """One run after the other. A client waits some seconds for a run before it begins another one beside it."""
        loop = asyncio.get_running_loop()
        mine: list[Promise] = []
        while loop.time() < over or len(mine) < self.runs_each:
            promise = await client.start_a_run(mine)
            if promise is None:
                continue
            self.promises.append(promise)
            watchers.append(asyncio.create_task(client.wait_for(promise)))
            await asyncio.wait([watchers[-1]], timeout=4)

    async def _kill_workers(self, stack: StackProcess, over: float) -> None:
        loop = asyncio.get_running_loop()
        chance = random.Random(self.seed)  # noqa: S311 - no secret
        while loop.time() < over:
            await asyncio.sleep(self.kill_every)
            self.killed += await asyncio.to_thread(kill_a_worker, stack, chance)

    async def _until_all_have_ended(self, stack: StackProcess, watchers: list[asyncio.Task[None]]) -> None:
        waiting = asyncio.gather(*watchers)
        if self.impatient:
            done, _ = await asyncio.wait([waiting], timeout=4)
            with SweepAhead(stack) as ahead:
                while not done:
                    await asyncio.to_thread(ahead.sweep)
                    done, _ = await asyncio.wait([waiting], timeout=3)
        await asyncio.wait_for(waiting, _PATIENCE_SECONDS)
