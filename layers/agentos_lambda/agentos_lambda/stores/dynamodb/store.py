"""``runs.ports.Store`` and ``sessions.ports.DeletionStore`` on DynamoDB and S3."""

from __future__ import annotations

from dataclasses import dataclass
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
        clock = clock or SystemClock()
        requests = Requests(clients, retries)
        runs, blobs = Table(tables.runs, requests), Blobs(tables.bucket, requests)
        events, session_table = Table(tables.events, requests), Table(tables.sessions, requests)
        log = DynamoDBEventLog(events, blobs, clock=clock, ttl_seconds=events_ttl_seconds)
        sessions = Sessions(session_table, blobs, retention, clock)
        directory = DynamoDBDirectory(session_table, runs, sessions, blobs, requests, new_token=lambda: uuid4().hex)
        past = PastSessionsByIndex(directory, sessions.first_runs)
        remains = DynamoDBRemains(session_table, runs, events, blobs, requests=requests, clock=clock)
        records = RunRecords(runs, blobs, log, clock)
        memories = DynamoDBMemories(Table(tables.memories, requests), blobs, requests, new_token=lambda: uuid4().hex)
        commits = Commits(runs, sessions, memories, log, blobs=blobs, requests=requests, retention=retention)

        self.accept = records.accept
        self.work = records.work
        self.due = records.due
        self.reopen = records.reopen
        self.note_send = records.note_send
        self.note_acknowledged = records.note_acknowledged
        self.get = records.get
        self.claim = records.claim
        self.checkpoint = records.checkpoint
        self.renew, self.flag_cancel = records.renew, records.flag_cancel
        self.commit, self.commit_without_session = commits.commit, commits.commit_without_session
        self.output = sessions.output
        self.load = sessions.load
        self.list_runs = sessions.list_runs
        self.past_sessions, self.past_session = past.past_sessions, past.past_session
        self.create = directory.create
        self.find, self.bare = directory.find, directory.bare
        self.whole = directory.whole
        self.change = directory.change
        self.entries = directory.entries
        self.count = directory.count
        self.heads = directory.heads
        self.bury = directory.bury
        self.active_runs = directory.active_runs
        self.expiring, self.look_again = directory.expiring, directory.look_again
        self.buried_runs = remains.buried_runs
        self.remove_run, self.remove_expired = remains.remove_run, remains.remove_expired
        self.remove_values = remains.remove_values
        self.close = remains.close
        self.memories_of = memories.memories_of
        self.memory_count = memories.count
        self.find_memory = memories.find
        self.newest_memories = memories.newest
        self.users_with_memories = memories.users
        self.change_memories = memories.change
        self.append = log.append
        self.read = log.read
