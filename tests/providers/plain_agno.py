"""``python -m tests.providers.plain_agno``: runs of agents by agno alone, without anything of this project, as JSON.

The environment names the providers. Bedrock is asked by agno's synchronous client, boto3: the other one needs aioboto3.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from agno.agent import Agent
from agno.db.in_memory import InMemoryDb

from tests.providers.models import PROVIDERS, Clients, add

IDS = {"run_id": "run-1", "session_id": "session-1", "user_id": "ada"}


async def main(messages: list[str]) -> dict[str, Any]:
    """Name, stream and message, as in ``key`` -> the events and the run."""
    clients = Clients()
    runs = {
        key(name, stream, message): await played(name, clients, stream, message)
        for name in PROVIDERS
        for stream in (True, False)
        for message in messages
    }
    await clients.close()
    return runs


def key(name: str, stream: bool, message: str) -> str:
    """Names a run."""
    return f"{name} {stream} {message}"


async def played(name: str, clients: Clients, stream: bool, message: str) -> dict[str, Any]:
    agent = Agent(id="a", model=PROVIDERS[name][1](clients), tools=[add], db=InMemoryDb(), telemetry=False)
    options: Any = {**IDS, "stream": stream}
    if stream:
        options |= {"stream_events": True, "yield_run_output": True}
    if name == "bedrock":
        answered = await asyncio.to_thread(lambda: _listed(agent.run(message, **options), stream))
    elif stream:
        answered = [item async for item in agent.arun(message, **options)]
    else:
        answered = [await agent.arun(message, **options)]
    items = [item.to_dict() for item in answered]
    events = [item for item in items if "event" in item]
    return {"events": events, "run": items[-1] if items[-1] not in events else None}  # none of a stream that fails


def _listed(answered: Any, stream: bool) -> list[Any]:
    return list(answered) if stream else [answered]


if __name__ == "__main__":
    json.dump(asyncio.run(main(sys.argv[1:])), sys.stdout, default=str)
