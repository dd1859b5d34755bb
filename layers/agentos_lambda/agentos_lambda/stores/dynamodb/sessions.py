"""Sessions and their ended runs: items of one partition, in which the session's own comes last."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import count, islice
from string import ascii_lowercase, digits
from typing import Any

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.errors import NotStorable
from agentos_lambda.runs.model import Ending, RunOutput, RunRecord, Session, StoredRun
from agentos_lambda.stores.dynamodb.attributes import VERSION, Item, number, text
from agentos_lambda.stores.dynamodb.blobs import FIELD_LIMIT, Blobs, run_folder
from agentos_lambda.stores.dynamodb.table import WHOLE_PAGES, Table

SESSION_SHARDS = 4
"""Partitions of a kind, and of a component, in the indexes of sessions: 1,000 new sessions a second write 250 units a
second to each. A page of a list asks each of them."""

_HEAD = "SESSION"
_RUN = "RUN#"
_FIELD = "field:"
_DIGITS = digits + ascii_lowercase

_FURTHER_PAGES = 4
_FURTHER_RUNS = 50
"""Runs on each further page: how far ``load`` looks for history behind runs that failed or are another component's."""


class Sessions:
    """Implements ``runs.ports.SessionStore``, and a session's part in a commit."""

    def __init__(self, table: Table, blobs: Blobs) -> None:
        self._table = table
        self._blobs = blobs

    def load(self, session_id: str, *, kind: Kind, component_id: str, history: int) -> Session | None:
        # The session's item is the last of its partition: read backwards, it comes first.
        limits = [history + 1, *[_FURTHER_RUNS] * _FURTHER_PAGES]
        items = self._items(session_id, newest_first=True, limits=limits)
        head = next(items, None)
        if head is None:
            return None
        completed = (
            item for item in items if _is_of(item, kind, component_id) and item["status"]["S"] == RunStatus.COMPLETED
        )
        runs = [self._stored_run(item) for item in islice(completed, history)]
        return self._session(head, tuple(reversed(runs)))

    def list_runs(self, session_id: str, *, kind: Kind, component_id: str) -> list[StoredRun]:
        return [
            self._stored_run(item)
            for item in self._items(session_id)
            if item["item"]["S"] != _HEAD and _is_of(item, kind, component_id)
        ]

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

    def update_action(self, ending: Ending) -> Any:
        """The action that creates the session or merges the run's changes into it, field by field."""
        run, changes = ending.before, ending.session
        folder = run_folder(run.run_id, run.attempt)
        # There is no such session, or its runs have had no owner so far.
        is_unowned = "attribute_not_exists(#user_id)"
        # It was made, or taken over, by a run of the same owner.
        is_owned = "#user_id = :user_id"
        condition = is_unowned
        update = (
            "SET #version = :version, #kind = if_not_exists(#kind, :kind)"
            ", #component = if_not_exists(#component, :component)"
            ", #created_at = if_not_exists(#created_at, :created_at), #updated_at = :updated_at"
            ", #kind_shard = if_not_exists(#kind_shard, :kind_shard)"
            ", #component_shard = if_not_exists(#component_shard, :component_shard)"
        )
        values: Item = {
            ":version": VERSION["version"],
            ":kind": text(run.kind),
            ":component": text(run.component_id),
            ":created_at": number(run.accepted_at),
            ":updated_at": number(ending.ended_at),
            **index_keys(run),
        }
        if run.user_id is not None:
            condition = f"{is_unowned} OR {is_owned}"
            update += ", #user_id = :user_id, #kind_user = if_not_exists(#kind_user, :kind_user)"
            values |= {":user_id": text(run.user_id), ":kind_user": text(f"{run.kind}#{run.user_id}")}
        # Short aliases, because an expression is limited to 4 KB: so more than 400 fields can change at once.
        aliases = map(_base_36, count())
        fields: dict[str, str] = {}
        for name, value in sorted(changes.set.items()):
            alias = next(aliases)
            fields[f"#{alias}"] = _attribute_name(name)
            update += f",#{alias}=:{alias}"
            values[f":{alias}"] = self._blobs.attribute(value, folder, limit=FIELD_LIMIT)
        removed = {f"#{next(aliases)}": _attribute_name(name) for name in sorted(changes.remove - changes.set.keys())}
        remove = f" REMOVE {','.join(removed)}" if removed else ""
        key = {"session_id": text(run.session_id), "item": text(_HEAD)}
        return self._table.update_action(key, update + remove, condition, values, {**fields, **removed})

    def _items(
        self, session_id: str, *, newest_first: bool = False, limits: Iterable[int | None] = WHOLE_PAGES
    ) -> Iterator[Mapping[str, Any]]:
        return self._table.query(
            "#session_id = :session_id",
            {":session_id": text(session_id)},
            newest_first=newest_first,
            limits=limits,
        )

    def _session(self, head: Mapping[str, Any], runs: tuple[StoredRun, ...]) -> Session:
        return Session(
            session_id=head["session_id"]["S"],
            kind=Kind(head["kind"]["S"]),
            component_id=head["component"]["S"],
            user_id=head["user_id"]["S"] if "user_id" in head else None,
            created_at=int(head["created_at"]["N"]),
            updated_at=int(head["updated_at"]["N"]),
            fields={
                name.removeprefix(_FIELD): self._blobs.value(value)
                for name, value in head.items()
                if name.startswith(_FIELD)
            },
            runs=runs,
        )

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


def _run_key(run: RunRecord) -> Item:
    return {"session_id": text(run.session_id), "item": text(f"{_RUN}{run.accepted_at:013d}#{run.run_id}")}


def index_keys(run: RunRecord) -> Item:
    """Where the indexes have a session that this run creates. The kind has no ``#``, and what follows it is apart."""
    shard = zlib.crc32(run.session_id.encode()) % SESSION_SHARDS
    return {
        ":kind_shard": text(f"{run.kind}#{shard}"),
        ":component_shard": text(f"{run.kind}#{run.component_id}#{shard}"),
    }


def _is_of(item: Mapping[str, Any], kind: Kind, component_id: str) -> bool:
    return bool(item["kind"]["S"] == kind and item["component"]["S"] == component_id)


def _base_36(place: int) -> str:
    return _DIGITS[place] if place < len(_DIGITS) else _base_36(place // len(_DIGITS)) + _DIGITS[place % len(_DIGITS)]


def _attribute_name(field: str) -> str:
    try:
        field.encode()
    except UnicodeEncodeError as error:
        raise NotStorable("A key of the session is not valid Unicode.") from error
    return _FIELD + field
