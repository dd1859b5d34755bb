"""Sweeps of a local stack from outside, by a clock that is ahead, so that nobody waits for leases to run out."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any, Self

from boto3.session import Session

from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.catalog import Component
from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.sweeper import Sweeper, Swept
from agentos_lambda.runs.timing import DUE_STEP_MS, REPEAT_AFTER_MS
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb import DynamoDBStore, Tables
from agentos_lambda.stores.sqs import SqsQueue
from tests.local_stack import StackProcess
from tests.runs.world import OneOfEach
from tests.soak.workers import store_variables

_TABLES = ("RUNS_TABLE", "SESSIONS_TABLE", "EVENTS_TABLE", "BUCKET")


class _NoComponents(OneOfEach):
    def find(self, kind: Kind, component_id: str) -> Component | None:
        return None


class _ClockAhead(SystemClock):
    """So far ahead that whoever stalls counts as dead, and whatever waits is sent again."""

    def now(self) -> int:
        return super().now() + REPEAT_AFTER_MS + DUE_STEP_MS


class _Only:
    """The store, as if only this run were due."""

    def __init__(self, store: DynamoDBStore, run_id: str) -> None:
        self._store = store
        self._run_id = run_id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def due(self, *, before: int) -> Sequence[Iterable[str]]:
        return [[self._run_id]]


class _OtherQueue(SqsQueue):
    """As if the messages that wait were those of other runs, and none that of this one."""

    def depth(self) -> int:
        return 0


class SweepAhead:
    """Sweeps as if a quarter of an hour had passed: whoever has an executor loses it, dead or not."""

    def __init__(self, stack: StackProcess) -> None:
        given = store_variables(stack)
        session = Session(given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"], region_name=given["AWS_REGION"])
        at = given["AWS_ENDPOINT_URL"]
        self._clients = Clients(
            dynamodb=session.client("dynamodb", endpoint_url=at),
            s3=session.client("s3", endpoint_url=at),
            sqs=session.client("sqs", endpoint_url=at),
        )
        tables = Tables(*(given[name] for name in _TABLES))
        self._store = DynamoDBStore(tables, clients=self._clients)
        self._url = given["RUNS_QUEUE_URL"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._clients.close()

    def record(self, run_id: str) -> RunRecord:
        """The record of a run that was accepted."""
        record = self._store.get(run_id)
        assert record is not None
        return record

    def send(self, run_id: str) -> None:
        """Have a worker look at a run that waits: its message may have gone to one that is dead."""
        SqsQueue(self._url, clients=self._clients).send(run_id)

    def sweep(self) -> Swept:
        """Sweep all that is due."""
        return self._sweep(self._store, SqsQueue(self._url, clients=self._clients))

    def sweep_run(self, run_id: str) -> Swept:
        """Sweep this run alone."""
        return self._sweep(_Only(self._store, run_id), _OtherQueue(self._url, clients=self._clients))

    def _sweep(self, store: Any, queue: SqsQueue) -> Swept:
        return Sweeper(
            store, queue, _NoComponents(), _ClockAhead(), new_id=lambda: f"{random.getrandbits(64):x}"
        ).sweep()
