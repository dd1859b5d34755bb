"""``runs.ports.Store`` on DynamoDB and S3."""

from __future__ import annotations

from dataclasses import dataclass

from agentos_lambda.runs.clock import Clock, SystemClock
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb.blobs import Blobs
from agentos_lambda.stores.dynamodb.commits import Commits
from agentos_lambda.stores.dynamodb.event_log import DynamoDBEventLog
from agentos_lambda.stores.dynamodb.records import RunRecords
from agentos_lambda.stores.dynamodb.requests import Requests
from agentos_lambda.stores.dynamodb.sessions import Sessions
from agentos_lambda.stores.dynamodb.table import Table
from agentos_lambda.stores.retries import Retries


@dataclass(frozen=True, slots=True)
class Tables:
    """Names of the three tables, and of the bucket for what is too large for them."""

    runs: str
    sessions: str
    events: str
    bucket: str


class DynamoDBStore:
    """Implements ``runs.ports.Store``: each method is that of a part. May be used from any thread."""

    def __init__(
        self,
        tables: Tables,
        *,
        events_ttl_seconds: int = 86_400,
        clients: Clients | None = None,
        retries: Retries | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Events live for ``events_ttl_seconds``. Without ``clients``, they are made from the environment."""
        requests = Requests(clients, retries)
        runs = Table(tables.runs, requests)
        blobs = Blobs(tables.bucket, requests)
        log = DynamoDBEventLog(
            Table(tables.events, requests), blobs, clock=clock or SystemClock(), ttl_seconds=events_ttl_seconds
        )
        sessions = Sessions(Table(tables.sessions, requests), blobs)
        records = RunRecords(runs, blobs, log)
        commits = Commits(runs, sessions, log, requests)

        self.accept = records.accept
        self.work = records.work
        self.due = records.due
        self.reopen = records.reopen
        self.note_send = records.note_send
        self.note_acknowledged = records.note_acknowledged
        self.get = records.get
        self.claim = records.claim
        self.renew = records.renew
        self.flag_cancel = records.flag_cancel
        self.commit = commits.commit
        self.commit_without_session = commits.commit_without_session
        self.output = sessions.output
        self.load = sessions.load
        self.list_runs = sessions.list_runs
        self.append = log.append
        self.read = log.read
