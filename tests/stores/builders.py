"""Values for the tests of stores, each valid as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from types import NoneType
from typing import Any, get_args, get_type_hints

from agentos_lambda.protocol.values import JsonObject, Kind, RunStatus
from agentos_lambda.runs.model import (
    Ending,
    EventPack,
    IndexedEvent,
    RunOutput,
    RunRecord,
    Session,
    SessionDelta,
    StoredRun,
)
from agentos_lambda.runs.ports import Store
from agentos_lambda.runs.usage import Usage

NOW = 1_700_000_000_000
LEASE_MS = 30_000


def pending(run_id: str = "run-1", **changes: Any) -> RunRecord:
    record = RunRecord(
        run_id=run_id,
        kind=Kind.AGENT,
        component_id="writer",
        session_id="session-1",
        user_id="alice",
        status=RunStatus.PENDING,
        accepted_at=NOW,
        token=f"accepted-{run_id}",
    )
    return replace(record, **changes)


def running(run_id: str = "run-1", **changes: Any) -> RunRecord:
    """As a foreground run is accepted: by its executor."""
    started = {
        "status": RunStatus.RUNNING,
        "attempt": 1,
        "tries": 1,
        "executor": f"executor-{run_id}",
        "lease_until": NOW + LEASE_MS,
    }
    return pending(run_id, **{**started, **changes})


def with_every_field_set() -> RunRecord:
    """A record with no field as it is by default, whatever fields there are."""
    hints = get_type_hints(RunRecord)
    return RunRecord(
        **{
            field.name: _unlike(field.default, hints[field.name], place)
            for place, field in enumerate(fields(RunRecord))
        }
    )


def _unlike(default: Any, hint: Any, place: int) -> Any:
    if hint == Mapping[int, int]:
        return {0: place, 1: place + 1}
    if hint is Usage:
        return Usage(place, place + 1, place + 2)
    (kind,) = set(get_args(hint) or [hint]) - {NoneType}
    if kind is bool:
        return not default
    if kind is int:
        return NOW + place
    return f"text {place}" if kind is str else list(kind)[-1]


def ending(before: RunRecord, status: RunStatus = RunStatus.COMPLETED, **changes: Any) -> Ending:
    made = Ending(
        before=before,
        status=status,
        ended_at=NOW + 5_000,
        token=f"ended-{before.run_id}-{before.attempt}-{status}",
        output=output(before.run_id),
    )
    return replace(made, **changes)


def output(content: str = "done", members: tuple[JsonObject, ...] = ()) -> RunOutput:
    return RunOutput({"content": content}, members)


def delta(remove: Iterable[str] = (), **fields: Any) -> SessionDelta:
    """Fields of the session state to set and to remove."""
    return SessionDelta(
        {f"state:{name}": value for name, value in fields.items()}, frozenset(f"state:{name}" for name in remove)
    )


def pack(first_index: int, *contents: str) -> EventPack:
    return EventPack(first_index, tuple({"event": "RunContent", "content": content} for content in contents))


def contents(events: Iterable[IndexedEvent]) -> list[tuple[int, str]]:
    """Indexed events as (index, content)."""
    return [(indexed.index, indexed.event["content"]) for indexed in events]


def claim(store: Store, run_id: str = "run-1", executor: str = "worker-1", now: int = NOW) -> RunRecord:
    return store.claim(run_id, executor=executor, lease_until=now + LEASE_MS, expired_before=now - 15_000)


def take_over(store: Store, run_id: str = "run-1", executor: str = "rescuer") -> RunRecord:
    """Claim the run long after its lease has ended."""
    return claim(store, run_id, executor, now=NOW + 10 * LEASE_MS)


def due(store: Store, before: int = NOW + 24 * 3_600_000) -> list[str]:
    """Ids of the runs that a sweep has to look at before this time, in whatever order."""
    return sorted(run_id for part in store.due(before=before) for run_id in part)


def load(
    store: Store,
    session_id: str = "session-1",
    kind: Kind = Kind.AGENT,
    component_id: str = "writer",
    history: int | None = 3,
) -> Session | None:
    return store.load(session_id, kind=kind, component_id=component_id, history=history)


def list_runs(
    store: Store, session_id: str = "session-1", kind: Kind = Kind.AGENT, component_id: str = "writer", **which: Any
) -> Sequence[StoredRun]:
    return list(store.list_runs(session_id, kind=kind, component_id=component_id, **which))
