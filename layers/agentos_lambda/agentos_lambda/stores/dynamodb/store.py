"""``runs.ports.Store`` on DynamoDB and S3: its parts, each described at the Protocol."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from agentos_lambda.protocol.values import Json, Kind
from agentos_lambda.runs.clock import Clock, SystemClock
from agentos_lambda.runs.model import Ending, EventPack, IndexedEvent, RunOutput, RunRecord, Session, StoredRun
from agentos_lambda.stores.clients import Clients, Tables
from agentos_lambda.stores.dynamodb.blobs import Blobs
from agentos_lambda.stores.dynamodb.commits import Commits
from agentos_lambda.stores.dynamodb.event_log import DynamoDBEventLog
from agentos_lambda.stores.dynamodb.records import RunRecords
from agentos_lambda.stores.dynamodb.requests import Requests
from agentos_lambda.stores.dynamodb.sessions import Sessions

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_s3.client import S3Client


class DynamoDBStore:
    """Implements ``runs.ports.Store``; may be used from any thread.

    Events live for ``events_ttl_seconds``. Without clients of its own, a store makes them from the environment when it
    first needs them. ``sleep`` (seconds) and ``jitter`` (0 to 1) are asked between tries.
    """

    def __init__(
        self,
        tables: Tables,
        *,
        events_ttl_seconds: int = 86_400,
        dynamodb: DynamoDBClient | None = None,
        s3: S3Client | None = None,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        clients = Clients(dynamodb, s3)
        requests = Requests(sleep, jitter)
        blobs = Blobs(clients, requests, tables.bucket)
        self._log = DynamoDBEventLog(
            tables.events, clients, requests, blobs, clock=clock or SystemClock(), ttl_seconds=events_ttl_seconds
        )
        self._sessions = Sessions(tables.sessions, clients, requests, blobs)
        self._records = RunRecords(tables.runs, clients, requests, blobs, self._log)
        self._commits = Commits(tables, clients, requests, self._log, self._sessions)

    def accept(self, record: RunRecord, *, work: Json = None) -> RunRecord:
        return self._records.accept(record, work=work)

    def work(self, record: RunRecord) -> Json:
        return self._records.work(record)

    def active(self, *, accepted_before: int) -> Iterator[str]:
        return self._records.active(accepted_before=accepted_before)

    def reopen(
        self,
        record: RunRecord,
        *,
        executor: str,
        now: int,
        lease_until: int | None,
        logged: bool = True,
        work: Json = None,
    ) -> RunRecord:
        return self._records.reopen(
            record, executor=executor, now=now, lease_until=lease_until, logged=logged, work=work
        )

    def note_send(self, record: RunRecord) -> RunRecord:
        return self._records.note_send(record)

    def get(self, run_id: str) -> RunRecord | None:
        return self._records.get(run_id)

    def claim(self, run_id: str, *, executor: str, lease_until: int, expired_before: int) -> RunRecord:
        return self._records.claim(run_id, executor=executor, lease_until=lease_until, expired_before=expired_before)

    def renew(self, record: RunRecord, *, lease_until: int) -> RunRecord:
        return self._records.renew(record, lease_until=lease_until)

    def flag_cancel(self, run_id: str, *, now: int) -> RunRecord:
        return self._records.flag_cancel(run_id, now=now)

    def commit(self, ending: Ending) -> RunRecord:
        return self._commits.commit(ending)

    def commit_without_session(self, ending: Ending) -> RunRecord:
        return self._commits.commit_without_session(ending)

    def output(self, record: RunRecord) -> RunOutput | None:
        return self._sessions.output(record)

    def load(self, session_id: str, *, kind: Kind, component_id: str, history: int) -> Session | None:
        return self._sessions.load(session_id, kind=kind, component_id=component_id, history=history)

    def list_runs(self, session_id: str, *, kind: Kind, component_id: str) -> Sequence[StoredRun]:
        return self._sessions.list_runs(session_id, kind=kind, component_id=component_id)

    def append(self, run_id: str, attempt: int, pack: EventPack) -> None:
        self._log.append(run_id, attempt, pack)

    def read(self, record: RunRecord, *, after: int) -> Sequence[IndexedEvent]:
        return self._log.read(record, after=after)
