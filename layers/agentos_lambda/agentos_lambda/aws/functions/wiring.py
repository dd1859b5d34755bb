"""What functions are made of: stores, queue, engine. What is costly is made when it is needed."""

from __future__ import annotations

from functools import cache
from uuid import uuid4

from agentos_lambda.aws.settings import Settings
from agentos_lambda.runs.ports import Engine, RunQueue, Store
from agentos_lambda.stores.dynamodb import DynamoDBStore, Tables
from agentos_lambda.stores.sqs import SqsQueue


def store_of(settings: Settings) -> Store:
    """The store of runs, sessions and events."""
    tables = Tables(settings.runs_table, settings.sessions_table, settings.events_table, settings.bucket)
    return DynamoDBStore(tables, events_ttl_seconds=settings.events_ttl_seconds)


def queue_of(settings: Settings) -> RunQueue:
    """The queue of runs that wait for a worker."""
    return SqsQueue(settings.queue_url)


@cache
def engine() -> Engine:
    """The engine, with the components. Takes long the first time."""
    from agentos_lambda.engine.engine import AgnoEngine  # noqa: PLC0415 - not before the first run

    return AgnoEngine()


def new_id() -> str:
    """An id that nobody else has made."""
    return str(uuid4())
