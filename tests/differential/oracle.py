"""The released AgentOS over SQLite: ``python -m tests.differential.oracle PORT FILE``, in an environment of its own.

Its clock stands still. Each request says by the header ``x-now`` how late it is, in seconds since the epoch.
"""

from __future__ import annotations

import sys
import time

START = 1_790_000_000
"""When the clock starts, in seconds since the epoch."""


class _Clock:
    now = START


def main(port: int, file: str) -> None:
    time.time = lambda: float(_Clock.now)
    import agno.db.schemas.memory as memory_schema  # noqa: PLC0415 - none of these before the clock stands still
    import uvicorn  # noqa: PLC0415
    from agno.db.sqlite import SqliteDb  # noqa: PLC0415
    from agno.memory import MemoryManager  # noqa: PLC0415
    from agno.memory.strategies import summarize  # noqa: PLC0415
    from agno.os import AgentOS  # noqa: PLC0415

    from agentos_lambda.engine.components.loader import Components  # noqa: PLC0415
    from agentos_lambda.engine.components.parts import parts  # noqa: PLC0415
    from agentos_lambda.engine.models.demo import DemoModel  # noqa: PLC0415
    from agentos_lambda.protocol.values import Kind  # noqa: PLC0415
    from tests.differential.components import agents, teams, workflows  # noqa: PLC0415

    memory_schema.now_epoch_s = summarize.now_epoch_s = lambda: _Clock.now
    # The order of a summary's topics is by chance there, and alphabetical here.
    summarize.list = sorted
    # Managers without a model of their own take one of OpenAI's.
    managers_model = MemoryManager.get_model
    MemoryManager.get_model = lambda self: managers_model(self) if self.model is not None else DemoModel()  # type: ignore[method-assign]
    database = SqliteDb(id="agentos-lambda", db_file=file)
    served = Components(agents(), teams(), workflows())
    for kind in Kind:
        for part in parts(served.all(kind)):
            if getattr(part, "update_memory_on_run", False):
                part.db = database
    app = AgentOS(
        id="agentos-lambda",
        db=database,
        telemetry=False,
        agents=served.agents,
        teams=served.teams,
        workflows=served.workflows,
    ).get_app()

    async def clocked(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        for name, value in scope.get("headers", ()):
            if name == b"x-now":
                _Clock.now = int(value)
        await app(scope, receive, send)

    uvicorn.run(clocked, host="127.0.0.1", port=port, log_level="error", lifespan="off")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
