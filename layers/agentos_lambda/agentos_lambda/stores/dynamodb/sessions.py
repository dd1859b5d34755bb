"""Sessions and their ended runs: items of one partition, in which the session's own comes last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, repeat
from typing import Any

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.access import Caller
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import SessionTaken
from agentos_lambda.runs.model import Ending, RunOutput, RunRecord, Session, StoredRun
from agentos_lambda.stores.dynamodb.attributes import VERSION, Item, number, text
from agentos_lambda.stores.dynamodb.blobs import Blobs, run_folder, session_folder
from agentos_lambda.stores.dynamodb.expiry import expiry, is_expired
from agentos_lambda.stores.dynamodb.session_fields import FieldsUpdate, SessionFields, aliases
from agentos_lambda.stores.dynamodb.session_items import (
    HEAD,
    RETAINED,
    RUN,
    bare_session,
    counter_key,
    counter_shard,
    counters_of,
    deleted_at,
    first_run_after,
    head_key,
    index_keys,
    is_of,
    is_session,
    retained,
    run_key,
    since_deletion,
)
from agentos_lambda.stores.dynamodb.table import WHOLE_PAGES, Table
from agentos_lambda.stores.retention import PAUSED_MARGIN_MS, Retention
from agentos_lambda.stores.rules import comes_into

_FURTHER_PAGES = 4
_FURTHER_RUNS = 50
"""Runs on each further page: how far ``load`` looks for history behind runs that failed or are another component's."""


class Sessions:
    """Implements ``runs.ports.SessionStore``, and a session's part in a commit."""

    def __init__(self, table: Table, blobs: Blobs, retention: Retention, clock: Clock) -> None:
        self._table = table
        self._blobs = blobs
        self._fields = SessionFields(blobs)
        self._retention = retention
        self._clock = clock

    def load(self, session_id: str, *, kind: Kind, component_id: str, history: int | None) -> Session | None:
        # The session's item is the last of its partition: read backwards, it comes first.
        limits = [(history or 0) + 1, *[_FURTHER_RUNS] * _FURTHER_PAGES]
        items = self._items(session_id, newest_first=True, limits=limits)
        head = next(items, None)
        if head is None or not is_session(head):
            return None
        if history is None:
            return bare_session(head)
        completed = (
            item
            for item in since_deletion(head, items)
            if is_of(item, kind, component_id) and item["status"]["S"] == RunStatus.COMPLETED
        )
        runs = self._stored_runs(islice(completed, history))
        return replace(self.session_of(head), runs=tuple(reversed(runs)))

    def whole(self, session_id: str) -> Session | None:
        """The session with all its runs, oldest first; None if there is none."""
        *runs, head = [*self._items(session_id)] or [{}]
        if not self.is_there(head):
            return None
        stored = self._stored_runs(since_deletion(head, runs))
        return replace(self.session_of(head), runs=tuple(stored))

    def is_there(self, head: Mapping[str, Any]) -> bool:
        """Whether a session's own item is one that requests see."""
        return is_session(head) and not is_expired(head, self._clock.now())

    def session_of(self, head: Mapping[str, Any]) -> Session:
        """The session of its own item, without its runs."""
        return replace(bare_session(head), fields=self._fields.read(head))

    def head(self, session_id: str) -> Mapping[str, Any] | None:
        """The session's item, read consistently."""
        return self._table.get(head_key(session_id))

    def list_runs(
        self,
        session_id: str,
        *,
        kind: Kind,
        component_id: str,
        status: RunStatus | None = None,
        user_id: str | None = None,
        after: int | None = None,
        skip: int = 0,
    ) -> Iterator[StoredRun]:
        first = RUN if after is None else first_run_after(after)
        listed = (
            item
            for item in self._items(session_id, first=first)
            if is_of(item, kind, component_id)
            and status in (None, item["status"]["S"])
            and Caller(user_id).may_read(_user_of(item))
        )
        return map(self._stored_run, islice(listed, skip, None))

    def first_runs(self, session: Session, limit: int) -> list[StoredRun]:
        """Those of the session's own user among its first ``limit`` runs, oldest first."""
        first = RUN if session.deleted_at is None else first_run_after(session.deleted_at)
        items = islice(self._items(session.session_id, first=first, limits=repeat(limit)), limit)
        return self._stored_runs(item for item in items if _user_of(item) == session.user_id)

    def output(self, record: RunRecord) -> RunOutput | None:
        if not record.in_session:
            return None
        item = self._table.get(run_key(record))
        return self._stored_run(item).output if item else None

    def run_action(self, ending: Ending) -> Any:
        """The action that stores the run; it overwrites what the same run left when it was paused."""
        run, output, paused = ending.before, ending.output, not ending.status.final
        until = self._retention.of_run(ending.status, ending.ended_at)
        item: Item = {
            **VERSION,
            **run_key(run),
            "run_id": text(run.run_id),
            "kind": text(run.kind),
            "component": text(run.component_id),
            "status": text(ending.status),
            "accepted_at": number(run.accepted_at),
            "output": self._blobs.attribute(output.to_json(), run_folder(run.run_id, run.attempt)),
            **expiry(until, not_before=until + PAUSED_MARGIN_MS if paused and until is not None else 0),
        }
        if run.user_id is not None:
            item["user_id"] = text(run.user_id)
        return self._table.put_action(item)

    def session_actions(self, ending: Ending, item: Mapping[str, Any] | None, *, move: bool = False) -> list[Any]:
        """The actions of a commit for its session, with the condition in the first one: that ``item``, the session's as
        it was read (None if it was not there), did not change in a way that matters.

        Raises ``SessionTaken``. ``move``: as in ``SessionFields.update``.
        """
        run = ending.before
        if item is not None and is_session(item):
            return [{"Update": self._head_action(ending, item, move=move)}]
        counters = counters_of(run.kind, run.component_id, run.user_id)
        counted = [{"Update": self.count_action(counter, run.session_id, 1)} for counter in counters]
        return [{"Update": self._head_action(ending, None, move=move)}, *counted]

    def count_action(self, counter: str, session_id: str, difference: int) -> Any:
        """The action that counts a session, or counts it no more."""
        key = counter_key(counter, counter_shard(session_id))
        values: Item = {":version": VERSION["version"], ":difference": number(difference)}
        return self._table.update_action(key, "SET #version = :version ADD #count :difference", None, values)

    def _head_action(self, ending: Ending, item: Mapping[str, Any] | None, *, move: bool) -> Any:
        """Creates the session or merges the run's changes into it, field by field."""
        run = ending.before
        set_: Item = {"version": VERSION["version"], "updated_at": number(ending.ended_at)}
        kept, unkept = self.retention_of(run.session_id, item, ending.ended_at)
        set_ |= kept
        if item is None:
            set_ |= {
                "kind": text(run.kind),
                "component": text(run.component_id),
                "created_at": number(run.accepted_at),
                **({} if run.user_id is None else {"user_id": text(run.user_id)}),
                **index_keys(run.session_id, run.kind, run.component_id, run.user_id),
            }
        condition, values = _condition(run, item)
        update = "SET " + ", ".join(f"#{name} = :{name}" for name in set_)
        values |= {f":{name}": value for name, value in set_.items()}
        if ending.title is not None:
            update += ", #name = if_not_exists(#name, :name)"
            values[":name"] = text(ending.title)
        folder = session_folder(run.session_id, run.accepted_at, run.run_id)
        fields = self._fields.update(item, ending.session, folder, token=ending.token, move=move)
        # When another session of this id was deleted, its item was left to expire.
        removed = ("#expires_at",) if item is None else unkept
        return self.fields_action(run.session_id, fields, update, condition, values, removed=removed)

    def retention_of(
        self, session_id: str, item: Mapping[str, Any] | None, written_at: int
    ) -> tuple[Item, Sequence[str]]:
        """What an update of the session's item (None: it is new) sets and removes, so that it lives on."""
        until = self._retention.of_session(written_at)
        if until is not None:
            return retained(session_id, item, until), ()
        return {}, [f"#{name}" for name in RETAINED if item is not None and name in item]

    def fields_action(
        self,
        session_id: str,
        fields: FieldsUpdate,
        update: str,
        condition: str,
        values: Item,
        *,
        removed: Iterable[str] = (),
    ) -> Any:
        """The action that makes this update of the session's own item, and that of its fields."""
        conditions, names, short = [condition], {}, aliases()
        for name, value in sorted(fields.set.items()):
            alias = next(short)
            names[f"#{alias}"] = name
            update += f",#{alias}=:{alias}"
            values[f":{alias}"] = value
        gone = {f"#{next(short)}": name for name in fields.remove}
        if gone or removed:
            update += f" REMOVE {','.join([*removed, *gone])}"
        for name, required in fields.unless:
            if required is None:
                conditions.append(f"attribute_not_exists(#{name})")
            else:
                conditions.append(f"#{name} = :required_{name}")
                values[f":required_{name}"] = text(required)
        return self._table.update_action(
            head_key(session_id), update, " AND ".join(conditions), values, {**names, **gone}
        )

    def _items(
        self,
        session_id: str,
        *,
        first: str | None = None,
        newest_first: bool = False,
        limits: Iterable[int | None] = WHOLE_PAGES,
    ) -> Iterator[Mapping[str, Any]]:
        """The items of the session; its runs alone from the sort key ``first`` on."""
        condition, values = "#session_id = :session_id", {":session_id": text(session_id)}
        if first is not None:
            condition = f"{condition} AND #item BETWEEN :first AND :last"
            values |= {":first": text(first), ":last": text(HEAD)}
        now = self._clock.now()
        for item in self._table.query(condition, values, newest_first=newest_first, limits=limits):
            if item["item"]["S"] == HEAD:
                if first is None:
                    yield item
            elif not is_expired(item, now):
                yield item

    def _stored_runs(self, items: Iterable[Mapping[str, Any]]) -> list[StoredRun]:
        """The runs of these items. Those that are in S3 are fetched a few at a time."""
        found = list(items)
        values = self._blobs.values([item["output"] for item in found])
        return [_stored(item, value) for item, value in zip(found, values, strict=True)]

    def _stored_run(self, item: Mapping[str, Any]) -> StoredRun:
        return _stored(item, self._blobs.value(item["output"]))


def _stored(item: Mapping[str, Any], output: Any) -> StoredRun:
    return StoredRun(
        run_id=item["run_id"]["S"],
        kind=Kind(item["kind"]["S"]),
        component_id=item["component"]["S"],
        status=RunStatus(item["status"]["S"]),
        accepted_at=int(item["accepted_at"]["N"]),
        output=RunOutput.from_json(output),
    )


def _user_of(item: Mapping[str, Any]) -> str | None:
    return item["user_id"]["S"] if "user_id" in item else None


def may_come_into(run: RunRecord, item: Mapping[str, Any] | None) -> bool:
    """Whether the session of this item was not deleted since the run was accepted."""
    return comes_into(run, deleted_at(item) if item is not None else None)


def _condition(run: RunRecord, item: Mapping[str, Any] | None) -> tuple[str, Item]:
    """What the run demands of its session's item, if ``item`` is how it was read; and the values in that.

    The owner is set when the session is created: one that was begun without a user stays everybody's. Raises
    ``SessionTaken``.
    """
    # No session of this id was deleted since the run was accepted.
    is_not_deleted = "(attribute_not_exists(#deleted_at) OR #deleted_at < :accepted_at)"
    values: Item = {":accepted_at": number(run.accepted_at)}
    if item is None:
        # There is no session, or only what a deleted one has left.
        is_none = "attribute_not_exists(#kind)"
        return f"{is_none} AND {is_not_deleted}", values
    owner = _user_of(item)
    if owner is None:
        # It was begun without a user, and is there.
        return f"attribute_exists(#kind) AND attribute_not_exists(#user_id) AND {is_not_deleted}", values
    if owner != run.user_id:
        raise SessionTaken("The session belongs to another user.")
    # It was begun for the same user, and is there.
    return f"attribute_exists(#kind) AND #user_id = :user_id AND {is_not_deleted}", {**values, ":user_id": text(owner)}
