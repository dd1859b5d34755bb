"""What functions are made of: stores, queue, limiter."""

from __future__ import annotations

from uuid import uuid4

from agentos_lambda.aws.settings import Settings
from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.runs.limiter import Limiter
from agentos_lambda.runs.slices import Slicing
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb import DynamoDBStore, Tables
from agentos_lambda.stores.dynamodb.counters import DynamoDBCounters
from agentos_lambda.stores.dynamodb.requests import Requests
from agentos_lambda.stores.dynamodb.table import Table
from agentos_lambda.stores.dynamodb.usage import DynamoDBUsage
from agentos_lambda.stores.retention import Retention
from agentos_lambda.stores.sqs import SqsQueue


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
        events_ttl_seconds=settings.events_ttl_seconds + settings.longest_run_seconds,
        retention=Retention(settings.sessions_retention_days, settings.runs_retention_days),
        clients=clients,
    )


def slicing_of(settings: Settings) -> Slicing:
    """How runs are cut that take longer than a function may."""
    return Slicing(
        slice_ms=None if settings.slice_seconds is None else settings.slice_seconds * 1000,
        longest_run_ms=settings.longest_run_seconds * 1000,
        max_slices=settings.max_slices,
    )


def usage_of(settings: Settings, clients: Clients | None = None) -> DynamoDBUsage:
    """What runs have used."""
    return DynamoDBUsage(Table(settings.runs_table, Requests(clients)))


def limiter_of(settings: Settings, clients: Clients | None = None) -> Limiter:
    """What admits the runs of callers with limits."""
    if not settings.limits_table:
        return Limiter(SystemClock())
    return Limiter(SystemClock(), DynamoDBCounters(Table(settings.limits_table, Requests(clients))))


def queue_of(settings: Settings, clients: Clients | None = None) -> SqsQueue:
    """The queue of what waits for a worker: runs, and deletions of sessions."""
    return SqsQueue(settings.queue_url, clients=clients)


def new_id() -> str:
    """An id that nobody else has made."""
    return str(uuid4())
