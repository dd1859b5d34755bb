"""``runs.ports.Store`` and ``sessions.ports.DeletionStore`` on DynamoDB and S3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from uuid import uuid4

from agentos_lambda.runs.clock import Clock, SystemClock
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb.blobs import Blobs
from agentos_lambda.stores.dynamodb.commits import Commits
from agentos_lambda.stores.dynamodb.directory import DynamoDBDirectory
from agentos_lambda.stores.dynamodb.event_log import DynamoDBEventLog
from agentos_lambda.stores.dynamodb.memories import DynamoDBMemories
from agentos_lambda.stores.dynamodb.records import RunRecords
from agentos_lambda.stores.dynamodb.remains import DynamoDBRemains
from agentos_lambda.stores.dynamodb.requests import Requests
from agentos_lambda.stores.dynamodb.sessions import Sessions
from agentos_lambda.stores.dynamodb.table import Table
from agentos_lambda.stores.past_sessions import PastSessionsByIndex
from agentos_lambda.stores.retention import FOREVER, Retention
from agentos_lambda.stores.retries import Retries


@dataclass(frozen=True, slots=True)
class Tables:
    """Names of the tables, and of the bucket for what is too large for them."""

    runs: str
    sessions: str
    events: str
    bucket: str
    memories: str = ""
    """Empty where no memories are asked for."""


class DynamoDBStore:
    """Each method is that of a part. May be used from any thread."""

    def __init__(
        self,
        tables: Tables,
        *,
        events_ttl_seconds: int = 86_400,
        retention: Retention = FOREVER,
        clients: Clients | None = None,
        retries: Retries | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Events live for ``events_ttl_seconds``. Without ``clients``, they are made from the environment."""
        clock, requests = clock or SystemClock(), Requests(clients, retries)
        parts = _parts(tables, requests, clock, retention=retention, events_ttl_seconds=events_ttl_seconds)

        self.append, self.read = parts.log.append, parts.log.read

        records = parts.records
        self.accept, self.reopen, self.get, self.work = records.accept, records.reopen, records.get, records.work
        self.due, self.claim, self.renew = records.due, records.claim, records.renew
        self.checkpoint, self.flag_cancel = records.checkpoint, records.flag_cancel
        self.note_send, self.note_acknowledged = records.note_send, records.note_acknowledged
        self.commit, self.commit_without_session = parts.commits.commit, parts.commits.commit_without_session
        self.note_told = parts.commits.note_told

        sessions, past = parts.sessions, parts.past
        self.output, self.load, self.list_runs = sessions.output, sessions.load, sessions.list_runs
        self.past_sessions, self.past_session = past.past_sessions, past.past_session

        directory = parts.directory
        self.create, self.change, self.bury = directory.create, directory.change, directory.bury
        self.find, self.bare, self.whole = directory.find, directory.bare, directory.whole
        self.entries, self.count, self.heads = directory.entries, directory.count, directory.heads
        self.active_runs = directory.active_runs
        self.expiring, self.look_again = directory.expiring, directory.look_again

        remains = parts.remains
        self.buried_runs, self.remove_run = remains.buried_runs, remains.remove_run
        self.remove_expired, self.remove_values = remains.remove_expired, remains.remove_values
        self.close = remains.close

        memories = parts.memories
        self.memories_of, self.memory_count, self.find_memory = memories.memories_of, memories.count, memories.find
        self.newest_memories, self.users_with_memories = memories.newest, memories.users
        self.change_memories = memories.change


class _Parts(NamedTuple):
    """What a store is made of."""

    records: RunRecords
    log: DynamoDBEventLog
    commits: Commits
    sessions: Sessions
    past: PastSessionsByIndex
    directory: DynamoDBDirectory
    remains: DynamoDBRemains
    memories: DynamoDBMemories


def _parts(
    tables: Tables, requests: Requests, clock: Clock, *, retention: Retention, events_ttl_seconds: int
) -> _Parts:
    runs, events, kept = (Table(name, requests) for name in (tables.runs, tables.events, tables.sessions))
    blobs = Blobs(tables.bucket, requests)
    log = DynamoDBEventLog(events, blobs, clock=clock, ttl_seconds=events_ttl_seconds)
    sessions = Sessions(kept, blobs, retention, clock)
    directory = DynamoDBDirectory(kept, runs, sessions, blobs, requests, new_token=_new_token)
    memories = DynamoDBMemories(Table(tables.memories, requests), blobs, requests, new_token=_new_token)
    return _Parts(
        records=RunRecords(runs, blobs, log, clock),
        log=log,
        commits=Commits(runs, sessions, memories, log, blobs=blobs, requests=requests, retention=retention),
        sessions=sessions,
        past=PastSessionsByIndex(directory, sessions.first_runs),
        directory=directory,
        remains=DynamoDBRemains(kept, runs, events, blobs, requests=requests, clock=clock),
        memories=memories,
    )


def _new_token() -> str:
    return uuid4().hex
