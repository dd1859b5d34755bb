"""What functions are made of: stores, queue, engine. What is costly is made when it is needed."""

from __future__ import annotations

from functools import cache
from uuid import uuid4

from agentos_lambda.aws.component_variables import ComponentVariables
from agentos_lambda.aws.runtime.recycle import recycle_soon
from agentos_lambda.aws.settings import Settings
from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.runs.ports import Engine
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb import DynamoDBStore, Tables
from agentos_lambda.stores.retention import Retention
from agentos_lambda.stores.sqs import SqsQueue


def prepared_clients() -> Clients:
    """Clients for a function none of whose requests does without store and key.

    boto3 is imported here, while the function starts: Lambda gives more of a processor then than later.
    """
    return Clients().prepare("dynamodb", "secretsmanager")


def store_of(settings: Settings, clients: Clients | None = None) -> DynamoDBStore:
    """The store of runs, sessions and events. Without ``clients``, boto3 is imported at the first request."""
    tables = Tables(
        runs=settings.runs_table,
        sessions=settings.sessions_table,
        events=settings.events_table,
        bucket=settings.bucket,
        memories=settings.memories_table,
    )
    return DynamoDBStore(
        tables,
        events_ttl_seconds=settings.events_ttl_seconds,
        retention=Retention(settings.sessions_retention_days, settings.runs_retention_days),
        clients=clients,
    )


def queue_of(settings: Settings, clients: Clients | None = None) -> SqsQueue:
    """The queue of what waits for a worker: runs, and deletions of sessions."""
    return SqsQueue(settings.queue_url, clients=clients)


def engine() -> Engine:
    """The engine, with the components. Takes long the first time.

    Raises ``ComponentUnusable`` if the components' variables cannot be read. If these have changed since, the process
    starts over after this invocation.
    """
    made, variables = _engine(), _variables()
    if variables is not None and variables.changed():
        recycle_soon()
    return made


@cache
def _engine() -> Engine:
    variables = _variables()
    if variables is not None:
        variables.apply()
    from agentos_lambda.engine.engine import AgnoEngine  # noqa: PLC0415 - not before the first run

    return AgnoEngine()


@cache
def _variables() -> ComponentVariables | None:
    secret = Settings.from_environment().components_secret
    return ComponentVariables(secret, SystemClock()) if secret is not None else None


@cache
def judging_engine() -> Engine:
    """The engine without components: it judges decisions about paused runs, and runs nothing."""
    from agentos_lambda.engine.components.loader import Components  # noqa: PLC0415 - not before the first decision
    from agentos_lambda.engine.engine import AgnoEngine  # noqa: PLC0415

    return AgnoEngine(Components())


def new_id() -> str:
    """An id that nobody else has made."""
    return str(uuid4())
