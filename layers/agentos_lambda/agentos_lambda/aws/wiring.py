"""What all functions are put together from: stores, queue, engine. What is costly is made when it is needed."""

from __future__ import annotations

from functools import cache
from uuid import uuid4

from agentos_lambda.aws.logs import set_levels, silence
from agentos_lambda.aws.metrics import count_cold_start
from agentos_lambda.aws.settings import Settings
from agentos_lambda.engine import LOGGERS
from agentos_lambda.runs.clock import Clock, SystemClock
from agentos_lambda.runs.ports import Engine, RunQueue, Store
from agentos_lambda.runs.security_key import KeySource
from agentos_lambda.stores.dynamodb import DynamoDBStore, Tables
from agentos_lambda.stores.secret import SecretKey
from agentos_lambda.stores.sqs import SqsQueue


def begin(settings: Settings, clock: Clock) -> None:
    """What every function does first, when its environment starts."""
    set_levels(settings.log_level)
    if settings.stack is not None:
        silence(LOGGERS)  # a run's error is in its record, for its caller
        count_cold_start(settings.stack, clock)


def store_of(settings: Settings) -> Store:
    """The store of runs, sessions and events."""
    tables = Tables(settings.runs_table, settings.sessions_table, settings.events_table, settings.bucket)
    return DynamoDBStore(tables, events_ttl_seconds=settings.events_ttl)


def queue_of(settings: Settings) -> RunQueue:
    """The queue of runs that wait for a worker."""
    return SqsQueue(settings.queue_url)


def key_of(settings: Settings) -> KeySource:
    """Where the security key is read."""
    if settings.security_key_secret is not None:
        return SecretKey(settings.security_key_secret, SystemClock())
    return lambda: settings.security_key


@cache
def engine() -> Engine:
    """The engine, with the components. Takes long the first time."""
    from agentos_lambda.engine.agno_engine import AgnoEngine  # noqa: PLC0415 - not before the first run

    return AgnoEngine()


def new_id() -> str:
    """An id that nobody else has made."""
    return str(uuid4())
