"""Executors that kill themselves at a call to their store.

Reads lines of JSON: ``{"as": "foreground" | "worker", "run_id": …, "kill": ["before" | "after", n] | null}``, and forks
a process for each, so that nothing has to be imported again. That process executes the run and writes what its
clients get, line by line: ``["call", name]`` before each call of its store, ``["accepted"]``,
``["event", index, name]``, ``["ended", status]``. When it is gone, the parent writes ``["gone", status]``.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from boto3.session import Session

from agentos_lambda.runs.commands import StartRun
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.memories import DEFAULT_USER, Memory, MemoryChange
from agentos_lambda.runs.model import RunInput
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb import DynamoDBStore
from tests.cloud import tables_of
from tests.runs.hand_driven import HandDrivenSupervisor
from tests.runs.world import World, component
from tests.stores.builders import NOW


def say(*words: object) -> None:
    os.write(1, f"{json.dumps(words)}\n".encode())


class Mortal:
    """A client whose process dies before or after its n-th call."""

    def __init__(self, client: Any, kill: tuple[str, int] | None) -> None:
        self._client = client
        self._kill = kill
        self._calls = 0

    def __getattr__(self, operation: str) -> Any:
        method = getattr(self._client, operation)

        def call(**parameters: Any) -> Any:
            self._calls += 1
            say("call", operation)
            self._die("before")
            answer = method(**parameters)
            self._die("after")
            return answer

        return call

    def _die(self, moment: str) -> None:
        if self._kill == (moment, self._calls):
            os.kill(os.getpid(), signal.SIGKILL)


def remembering(run_id: str) -> tuple[MemoryChange, ...]:
    """What the run of this id remembers of its user, under the same id."""
    memory = Memory(DEFAULT_USER, run_id, f"said in {run_id}", NOW, NOW, run_id)
    return (MemoryChange(DEFAULT_USER, run_id, None, memory),)


async def foreground(world: World, run_id: str) -> None:
    request = StartRun(component(), RunInput("hi"), "session-1", run_id=run_id, stream=True)
    execution = await world.intake.execute(request)
    assert isinstance(execution, Execution)
    say("accepted")
    async for indexed in execution.events():
        say("event", indexed.index, indexed.event["event"])
    say("ended", (await execution.result()).record.status)


async def worker(world: World, run_id: str) -> None:
    ended = await world.worker.work(run_id, deadline=None)
    assert ended is not None
    say("ended", ended.record.status)


ROLES: dict[str, Callable[[World, str], Any]] = {"foreground": foreground, "worker": worker}


def execute(command: dict[str, Any]) -> None:
    kill = command["kill"] and (command["kill"][0], command["kill"][1])
    client = Mortal(Session().client("dynamodb"), kill)
    store = DynamoDBStore(tables_of(os.environ["AWS_ACCESS_KEY_ID"]), clients=Clients(dynamodb=client))
    # The supervisor ticks at each event, so that the calls are the same each time.
    world = World(store=store, new_id=lambda: os.urandom(8).hex(), supervisor=HandDrivenSupervisor)
    world.engine.script["tools"] = 3
    world.engine.script["memories"] = remembering(command["run_id"])
    asyncio.run(ROLES[command["as"]](world, command["run_id"]))


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            execute(json.loads(line))
            os._exit(0)
        say("gone", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main()
