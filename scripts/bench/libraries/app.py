"""A whole run of an agent by the libraries alone: what no line of ours can make cheaper.

FastAPI behind Mangum takes the form, agno runs a copy of the agent over a database that keeps nothing, and boto3 sends
the requests that our store sends for such a run, with their parameters and the settings of our client.
"""

from __future__ import annotations

import asyncio
import os
import time
from inspect import signature
from typing import Annotated, Any
from uuid import uuid4

import boto3
import fastapi
from agno.agent import Agent
from agno.db.base import AsyncBaseDb
from botocore.config import Config
from mangum import Mangum

from agentos_lambda.protocol.values import JsonObject, Kind, RunStatus
from agentos_lambda.runs.model import Ending, RunOutput, RunRecord, SessionDelta
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb import DynamoDBStore, Tables
from components import agents

# As ours does: agno asks for it with each copy.
Agent.__init__.__signature__ = signature(Agent.__init__)  # type: ignore[attr-defined]
TEMPLATES = {agent.id: agent for agent in agents}
SETTINGS = Config(parameter_validation=False, user_agent="libraries", retries={"total_max_attempts": 1})
clients = Clients(dynamodb=boto3.client("dynamodb", config=SETTINGS))


async def _nothing(*_: Any, **__: Any) -> None:
    pass


KeepsNothing: Any = type("KeepsNothing", (AsyncBaseDb,), dict.fromkeys(AsyncBaseDb.__abstractmethods__, _nothing))


def recorded(component_id: str, run: JsonObject) -> dict[str, Any]:
    """The parameters of each request that our store sends for a run that leaves this, in a new session."""
    tables = Tables(os.environ["RUNS_TABLE"], os.environ["SESSIONS_TABLE"], "", "")
    store, sent = DynamoDBStore(tables, clients=clients), {}
    hook = "provide-client-params.dynamodb"

    def note(params: Any, model: Any, **_: Any) -> None:
        sent[model.name] = params

    clients.dynamodb.meta.events.register(hook, note)
    now = int(time.time() * 1000)
    record = RunRecord(
        *(str(uuid4()), Kind.AGENT, component_id, str(uuid4()), None, RunStatus.RUNNING, now, str(uuid4())),
        attempt=1,
        executor=str(uuid4()),
        tries=1,
        lease_until=now,
        logged=False,
    )
    store.accept(record)
    fields = {
        "agent_data": {"agent_id": component_id, "name": component_id, "model": {"provider": "", "id": ""}},
        "data:session_metrics": run["metrics"],
        "data:session_state": {},
        "metadata": run["metadata"],
    }
    output = RunOutput(run)
    store.commit(
        Ending(record, RunStatus.COMPLETED, now, str(uuid4()), output, SessionDelta(fields), title=run["content"])
    )
    clients.dynamodb.meta.events.unregister(hook, note)
    return sent


requests: dict[str, dict[str, Any]] = {}
"""By the agent's id."""
app = fastapi.FastAPI()


@app.post("/agents/{agent_id}/runs")
async def run_agent(
    agent_id: str,
    message: Annotated[str, fastapi.Form()],
    stream: Annotated[bool, fastapi.Form()],  # noqa: ARG001 - false
) -> Any:
    sent = requests.get(agent_id)
    if sent is not None:
        put = sent["PutItem"]
        item = {**put["Item"], "run_id": {"S": str(uuid4())}}
        await asyncio.to_thread(clients.dynamodb.put_item, **{**put, "Item": item})
    agent = TEMPLATES[agent_id].deep_copy(update={"db": KeepsNothing()})
    answer = (await agent.arun(message)).to_dict()
    if sent is None:
        requests[agent_id] = await asyncio.to_thread(recorded, agent_id, answer)
    else:  # with the same token: it is answered like the first one, and changes nothing
        await asyncio.to_thread(clients.dynamodb.transact_write_items, **sent["TransactWriteItems"])
    return fastapi.responses.JSONResponse(answer)


handler = Mangum(app, lifespan="off")
