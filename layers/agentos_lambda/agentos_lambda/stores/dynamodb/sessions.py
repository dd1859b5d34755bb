"""Sessions and their ended runs: items of one partition, in which the session's own comes last."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.access import sees
from agentos_lambda.runs.errors import SessionTaken
from agentos_lambda.runs.model import Ending, RunOutput, RunRecord, Session, StoredRun
from agentos_lambda.stores.dynamodb.attributes import VERSION, Item, number, text
from agentos_lambda.stores.dynamodb.blobs import Blobs, run_folder
from agentos_lambda.stores.dynamodb.session_fields import SessionFields, aliases
from agentos_lambda.stores.dynamodb.table import WHOLE_PAGES, Table

SESSION_SHARDS = 4
"""Partitions of a kind, and of a component, in the indexes of sessions: 1,000 new sessions a second write 250 units a
second to each. A page of a list asks each of them."""

_HEAD = "SESSION"
_RUN = "RUN#"
_UPDATE = (
    "SET #version = :version, #kind = if_not_exists(#kind, :kind)"
    ", #component = if_not_exists(#component, :component)"
    ", #created_at = if_not_exists(#created_at, :created_at), #updated_at = :updated_at"
    ", #kind_shard = if_not_exists(#kind_shard, :kind_shard)"
    ", #component_shard = if_not_exists(#component_shard, :component_shard)"
)

_FURTHER_PAGES = 4
_FURTHER_RUNS = 50
"""Runs on each further page: how far ``load`` looks for history behind runs that failed or are another component's."""


class Sessions:
    """Implements ``runs.ports.SessionStore``, and a session's part in a commit."""

    def __init__(self, table: Table, blobs: Blobs) -> None:
        self._table = table
        self._blobs = blobs
        self._fields = SessionFields(blobs)

    def load(self, session_id: str, *, kind: Kind, component_id: str, history: int | None) -> Session | None:
        # The session's item is the last of its partition: read backwards, it comes first.
        limits = [(history or 0) + 1, *[_FURTHER_RUNS] * _FURTHER_PAGES]
        items = self._items(session_id, newest_first=True, limits=limits)
        head = next(items, None)
        if head is None:
            return None
        if history is None:
            return _session(head)
        completed = (
            item for item in items if _is_of(item, kind, component_id) and item["status"]["S"] == RunStatus.COMPLETED
        )
        runs = [self._stored_run(item) for item in islice(completed, history)]
        return replace(_session(head), fields=self._fields.read(head), runs=tuple(reversed(runs)))

    def head(self, session_id: str) -> Mapping[str, Any] | None:
        """The session's item, read consistently."""
        return self._table.get(_head_key(session_id))

    def list_runs(
        self,
        session_id: str,
        *,
        kind: Kind,
        component_id: str,
        status: RunStatus | None = None,
        user_id: str | None = None,
        skip: int = 0,
    ) -> Iterator[StoredRun]:
        listed = (
            item
            for item in self._items(session_id, prefix=_RUN)
            if _is_of(item, kind, component_id)
            and status in (None, item["status"]["S"])
            and sees(_user_of(item), user_id)
        )
        return map(self._stored_run, islice(listed, skip, None))

    def output(self, record: RunRecord) -> RunOutput | None:
        if not record.in_session:
            return None
        item = self._table.get(_run_key(record))
        return self._stored_run(item).output if item else None

    def put_action(self, ending: Ending) -> Any:
        """The action that stores the run; it overwrites what the same run left when it was paused."""
        run, output = ending.before, ending.output
        item: Item = {
            **VERSION,
            **_run_key(run),
            "run_id": text(run.run_id),
            "kind": text(run.kind),
            "component": text(run.component_id),
            "status": text(ending.status),
            "accepted_at": number(run.accepted_at),
            "output": self._blobs.attribute(
                {"run": output.run, "members": output.members}, run_folder(run.run_id, run.attempt)
            ),
        }
        if run.user_id is not None:
            item["user_id"] = text(run.user_id)
        return self._table.put_action(item)

    def update_action(self, ending: Ending, item: Mapping[str, Any] | None, *, move: bool = False) -> Any:
        """The action that creates the session or merges the run's changes into it, field by field.

        ``item`` is the session's as it was read, None if it was not there: the action's condition is that this did not
        change in a way that matters. Raises ``SessionTaken``. ``move``: as in ``SessionFields.update``.
        """
        run = ending.before
        fields = self._fields.update(
            item, ending.session, run_folder(run.run_id, run.attempt), token=ending.token, move=move
        )
        ownership = _ownership(run, item)
        update = f"{_UPDATE}{ownership.update}"
        values: Item = {
            ":version": VERSION["version"],
            ":kind": text(run.kind),
            ":component": text(run.component_id),
            ":created_at": number(run.accepted_at),
            ":updated_at": number(ending.ended_at),
            **index_keys(run),
            **ownership.values,
        }
        conditions = [f"({ownership.condition})"]
        names: dict[str, str] = {}
        short = aliases()
        for name, value in sorted(fields.set.items()):
            alias = next(short)
            names[f"#{alias}"] = name
            update += f",#{alias}=:{alias}"
            values[f":{alias}"] = value
        removed = {f"#{next(short)}": name for name in fields.remove}
        update += f" REMOVE {','.join(removed)}" if removed else ""
        for name, required in fields.unless:
            if required is None:
                conditions.append(f"attribute_not_exists(#{name})")
            else:
                conditions.append(f"#{name} = :required_{name}")
                values[f":required_{name}"] = text(required)
        condition = " AND ".join(conditions)
        return self._table.update_action(_head_key(run.session_id), update, condition, values, {**names, **removed})

    def _items(
        self,
        session_id: str,
        *,
        prefix: str | None = None,
        newest_first: bool = False,
        limits: Iterable[int | None] = WHOLE_PAGES,
    ) -> Iterator[Mapping[str, Any]]:
        condition, values = "#session_id = :session_id", {":session_id": text(session_id)}
        if prefix is not None:
            condition, values = f"{condition} AND begins_with(#item, :prefix)", {**values, ":prefix": text(prefix)}
        return self._table.query(condition, values, newest_first=newest_first, limits=limits)

    def _stored_run(self, item: Mapping[str, Any]) -> StoredRun:
        output = self._blobs.value(item["output"])
        return StoredRun(
            run_id=item["run_id"]["S"],
            kind=Kind(item["kind"]["S"]),
            component_id=item["component"]["S"],
            status=RunStatus(item["status"]["S"]),
            accepted_at=int(item["accepted_at"]["N"]),
            output=RunOutput(output["run"], tuple(output["members"])),
        )


def _head_key(session_id: str) -> Item:
    return {"session_id": text(session_id), "item": text(_HEAD)}


def _run_key(run: RunRecord) -> Item:
    return {"session_id": text(run.session_id), "item": text(f"{_RUN}{run.accepted_at:013d}#{run.run_id}")}


def _user_of(item: Mapping[str, Any]) -> str | None:
    return item["user_id"]["S"] if "user_id" in item else None


def _session(head: Mapping[str, Any]) -> Session:
    """The session without its fields and runs."""
    return Session(
        session_id=head["session_id"]["S"],
        kind=Kind(head["kind"]["S"]),
        component_id=head["component"]["S"],
        user_id=_user_of(head),
        created_at=int(head["created_at"]["N"]),
        updated_at=int(head["updated_at"]["N"]),
        stored=head,
    )


@dataclass(frozen=True, slots=True)
class _Ownership:
    """The part of an update that says whose the session is."""

    condition: str
    update: str = ""
    values: Item = field(default_factory=dict)


def _ownership(run: RunRecord, item: Mapping[str, Any] | None) -> _Ownership:
    """What the run has to demand of the session's owner, if ``item`` is how the session was read.

    The owner is set when the session is created: one that was begun without a user stays everybody's.
    """
    if item is not None and _user_of(item) not in (None, run.user_id):
        raise SessionTaken("The session belongs to another user.")
    # There is no such session, or it was begun without a user.
    is_unowned = "attribute_not_exists(#user_id)"
    if run.user_id is None:
        return _Ownership(is_unowned)
    # It was begun without a user, and has not been deleted since.
    if item is not None and "user_id" not in item:
        return _Ownership(f"attribute_exists(#session_id) AND {is_unowned}")
    is_new = "attribute_not_exists(#session_id)"
    # It was begun by a run of the same user.
    is_owned = "#user_id = :user_id"
    return _Ownership(
        f"{is_new} OR {is_owned}",
        ", #user_id = :user_id, #kind_user = if_not_exists(#kind_user, :kind_user)",
        {":user_id": text(run.user_id), ":kind_user": text(f"{run.kind}#{run.user_id}")},
    )


def index_keys(run: RunRecord) -> Item:
    """Where the indexes have a session that this run creates. The kind has no ``#``, and what follows it is apart."""
    shard = zlib.crc32(run.session_id.encode()) % SESSION_SHARDS
    return {
        ":kind_shard": text(f"{run.kind}#{shard}"),
        ":component_shard": text(f"{run.kind}#{run.component_id}#{shard}"),
    }


def _is_of(item: Mapping[str, Any], kind: Kind, component_id: str) -> bool:
    return bool(item["kind"]["S"] == kind and item["component"]["S"] == component_id)
