"""The values that runs are made of. All times are milliseconds since the epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from agentos_lambda.protocol.values import Event, Json, JsonObject, Kind, RunStatus
from agentos_lambda.runs.memories import MemoryChange
from agentos_lambda.runs.usage import NOBODY, NOTHING, Usage


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The authority on a run: what it says holds, whatever a queue, a socket or an engine believes."""

    run_id: str
    kind: Kind
    component_id: str
    session_id: str
    user_id: str | None
    """The owner, as the caller claimed it."""
    status: RunStatus
    accepted_at: int
    token: str
    """Made by the caller of ``accept``: distinguishes its record from another one with the same id."""
    attempt: int = 0
    """The fencing number. Each claim, continue and sweep raises it; a write with an older one is refused."""
    executor: str | None = None
    """Made by the caller of ``claim``: distinguishes its claim from another one."""
    tries: int = 0
    """How often the run was started. Not a fence."""
    lease_until: int | None = None
    """While RUNNING: when the executor counts as dead unless it renews its lease."""
    cancel_requested_at: int | None = None
    ended_at: int | None = None
    """When the run last left RUNNING (PAUSED included), or was cancelled before it ran."""
    ending: str | None = None
    """The token of the commit that ended the attempt."""
    seals: Mapping[int, int] = field(default_factory=dict)
    """Attempt -> the last event index that the log vouches for. Packs after it are those of a dead executor."""
    error: str | None = None
    """Why the run ended as ERROR, in words for its caller."""
    request_hash: str | None = None
    """SHA-256 of the request of a run that was accepted with an ``Idempotency-Key``."""
    logged: bool = True
    """Whether the run has a log, from its start or since it was continued as a stream. Only then it has followers."""
    in_session: bool = False
    """Whether the session has an item of the run, with what the run left when it last ended or paused."""
    queued_at: int | None = None
    """When the run was last queued for a worker, to be started or continued."""
    sends: int = 0
    """How often the run was sent to the queue since it was queued."""
    acknowledged_send: int = 0
    """The number of the last of these sends that the queue has acknowledged; 0 if it has acknowledged none."""
    next_send_at: int | None = None
    """While PENDING: when a sweep looks whether the run has to be sent again."""
    log_from: int = 0
    """The first index that the log may serve: what came before was withdrawn."""
    slices: int = 0
    """How many executors have handed the run over since it was started or continued."""
    account: str | None = None
    """Who answers for what it uses: the subject of its caller's token. None: its user."""
    place: int | None = None
    """The shard of its caller's counter that has admitted it; None if its caller has no limits."""
    usage: Usage = NOTHING
    """What it has used, as of its last renewal or its end."""
    durable: bool = False
    """Whether the run is carried on from its last checkpoint if its executor dies. What came after is done twice."""
    untold: bool = False
    """Whether it has ended without an executor, and nobody has been asked yet to tell its followers."""

    def is_attempt_of(self, other: RunRecord) -> bool:
        """Whether both are of one attempt of one run: once a run is removed, another one may have its id."""
        return (self.token, self.attempt) == (other.token, other.attempt)

    @property
    def payer(self) -> str:
        """Whose usage it is."""
        return self.account or self.user_id or NOBODY

    @property
    def cancel_requested(self) -> bool:
        return self.cancel_requested_at is not None

    @property
    def shown_status(self) -> RunStatus:
        """The status for callers. A run that waits to be carried on has begun, and nobody need know who executes it."""
        return RunStatus.RUNNING if self.status is RunStatus.PENDING and self.slices else self.status

    @property
    def last_send_acknowledged(self) -> bool:
        return 0 < self.sends == self.acknowledged_send

    @property
    def next_index(self) -> int:
        """The first event index after all that the record vouches for."""
        return max(self.seals.values(), default=-1) + 1


@dataclass(frozen=True, slots=True)
class Media:
    """A file or a media object of a request: its bytes or its URL."""

    kind: str
    """``image``, ``audio``, ``video`` or ``file``."""
    content: bytes | None = None
    url: str | None = None
    mime_type: str | None = None
    filename: str | None = None
    id: str | None = None
    metadata: JsonObject | None = None
    details: JsonObject | None = None
    """What else the engine may be told of it, such as its ``format``, under the engine's names."""


@dataclass(frozen=True, slots=True)
class RunInput:
    """What the caller sent for the component to work on."""

    message: Json
    """Text or, for any kind of component, an object."""
    media: tuple[Media, ...] = ()
    session_state: JsonObject | None = None
    dependencies: JsonObject | None = None
    metadata: JsonObject | None = None
    knowledge_filters: Json = None
    output_schema: JsonObject | None = None
    additional_data: JsonObject | None = None
    """What a workflow's functions get beside their input."""
    add_history_to_context: bool | None = None
    """Whether an agent's or a team's model sees the session's earlier runs; None: as the component has it."""
    add_dependencies_to_context: bool | None = None
    add_session_state_to_context: bool | None = None
    further: JsonObject | None = None
    """Fields that only the component may know."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """What a caller decided about a paused run, in the form of the engine's objects that the client sent back."""

    tools: tuple[JsonObject, ...] | None = None
    """An agent's tool calls, confirmed, rejected or with their results."""
    requirements: tuple[JsonObject, ...] | None = None
    """The requirements of an agent, of a team, or of a workflow's steps."""


Work = RunInput | Continuation
"""What an attempt has to do: all of it on its way from the caller to the engine, also through the queue."""


@dataclass(frozen=True, slots=True)
class RunOutput:
    """What a run leaves: the run as the engine stores it, and what stands beside it.

    ``run["member_responses"]`` is empty: the members' runs are in ``members``, oldest first.
    """

    run: JsonObject
    members: tuple[JsonObject, ...] = ()
    unchecked: JsonObject | None = None
    """Of a run that goes on: all of it, for the engine, where nobody else may see that, now or at all."""
    introduction: JsonObject | None = None
    """The run in which the component introduced itself before this one, the first of a session."""

    @property
    def others(self) -> tuple[JsonObject, ...]:
        """The runs beside it, in their order: the introduction, if there is one, and those of members."""
        return (*([self.introduction] if self.introduction is not None else ()), *self.members)

    def to_json(self) -> JsonObject:
        """The output as JSON."""
        further = {"unchecked": self.unchecked, "introduction": self.introduction}
        return {"run": self.run, "members": list(self.members), **{k: v for k, v in further.items() if v is not None}}

    @classmethod
    def from_json(cls, value: JsonObject) -> Self:
        """The inverse of ``to_json``."""
        return cls(value["run"], tuple(value["members"]), value.get("unchecked"), value.get("introduction"))


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """A run that has left RUNNING, and what it left. It is stored, so it may be shown."""

    record: RunRecord
    output: RunOutput


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run that has ended or paused, as its session keeps it."""

    run_id: str
    kind: Kind
    component_id: str
    status: RunStatus
    accepted_at: int
    output: RunOutput


@dataclass(frozen=True, slots=True)
class Session:
    """A session as it was read: its fields, and its last runs, oldest first. Runs at once may set different fields:
    ``state:KEY`` is a top-level key of the session state, ``data:KEY`` one of the other session data, and a plain name
    (``metadata``, ``summary``) anything else."""

    session_id: str
    kind: Kind
    component_id: str | None
    """None if the session was created without one."""
    user_id: str | None
    """The user of its first run: a session that was begun without a user stays everybody's."""
    created_at: int
    updated_at: int
    fields: Mapping[str, Json] = field(default_factory=dict)
    runs: tuple[StoredRun, ...] = ()
    name: str | None = None
    """What lists call the session: the name that it was given, else the start of its first message."""
    expires_at: int | None = None
    """After this time it has expired, unless somebody writes to it until then; None: it never does."""
    deleted_at: int | None = field(default=None, compare=False)
    """When an earlier session of this id was deleted: runs that were accepted until then are none of this one's."""
    stored: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    """How its store has it, of no meaning to anybody else: a commit that gets it back need not read the session."""

    def expired(self, now: int) -> bool:
        """Whether requests see it no more."""
        return self.expires_at is not None and self.expires_at < now


@dataclass(frozen=True, slots=True)
class SessionDelta:
    """What a run, or a request, changed in a session's fields."""

    set: Mapping[str, Json] = field(default_factory=dict)
    remove: frozenset[str] = frozenset()

    def applied(self, fields: Mapping[str, Json]) -> dict[str, Json]:
        """The fields after the change."""
        return {name: value for name, value in fields.items() if name not in self.remove} | dict(self.set)


@dataclass(frozen=True, slots=True)
class EventPack:
    """Consecutive events of one attempt: ``events[i]`` has the index ``first_index + i``."""

    first_index: int
    events: tuple[Event, ...]

    @property
    def last_index(self) -> int:
        return self.first_index + len(self.events) - 1


@dataclass(frozen=True, slots=True)
class IndexedEvent:
    """An event with its index in the run. Indexes strictly increase over all attempts; gaps are allowed."""

    index: int
    event: Event


@dataclass(frozen=True, slots=True)
class Ending:
    """Everything that becomes visible in the one transaction that ends an attempt, or hands the run over."""

    before: RunRecord
    """The record as the writer knows it. Its attempt and status are the fence."""
    status: RunStatus
    """PAUSED or a final one; PENDING: the run is handed over. Then only ``work`` and the last pack count."""
    ended_at: int
    token: str
    """Made for this ending, the same when it is tried again."""
    output: RunOutput
    session: SessionDelta = SessionDelta()
    read: Session | None = None
    """The session as the run has read it; None if it was new, or was not read. It may have changed since."""
    title: str | None = None
    """What to call the session, if it has no name yet."""
    memories: tuple[MemoryChange, ...] = ()
    error: str | None = None
    last_events: EventPack | None = None
    """The last pack of the log, with the terminal events."""
    sealed_at: int | None = None
    """The last event index of this attempt, ``last_events`` included; None if the attempt logged nothing."""
    withdrawn: bool = False
    """Whether the log may serve ``last_events`` only from now on, and nothing before them."""
    work: Json = None
    """What the next executor goes on from, if the run is handed over."""
    used: Usage | None = None
    """What the run has used until now; None: what ``before`` says."""
    untold: bool = False
    """Whether somebody has yet to tell the run's followers: it stays due until ``RunStore.note_told``."""

    @property
    def usage(self) -> Usage:
        return self.before.usage if self.used is None else self.used
