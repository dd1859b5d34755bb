"""An agent of the demo model that goes on when the test says so."""

import asyncio
import os
import time
from pathlib import Path

from agno.agent import Agent

from agentos_lambda.engine.models.default import default_model

SIGNALS = Path(os.environ["SIGNALS"])


class Paced(Agent):
    """Notes when it gives an event, and gives the next only when the test has that one."""

    def arun(self, *arguments, **options):
        return self._paced(super().arun(*arguments, **options))

    async def _paced(self, items):
        async for item in items:
            name = getattr(item, "event", None)
            if name:
                with (SIGNALS / "notes").open("a") as notes:
                    notes.write(f"{time.monotonic()}\n")
            yield item
            if name and name != "RunCompleted":  # which is told when it is stored, after all the others
                await asyncio.to_thread((SIGNALS / "go").read_bytes)


agents = [
    Paced(id="paced", name="Paced", model=default_model()),
    Agent(id="plain", name="Plain", model=default_model()),
]
teams = []
workflows = []
