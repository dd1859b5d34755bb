"""Sessions as requests see them: created, found by index, changed, deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.errors import SessionExists
from agentos_lambda.runs.model import Session, SessionDelta
from agentos_lambda.sessions.model import SessionEntry, SessionFilter
from agentos_lambda.stores.dynamodb.attributes import VERSION, Item, number, text
from agentos_lambda.stores.dynamodb.blobs import Blobs, session_folder
from agentos_lambda.stores.dynamodb.items import ACTIVE_INDEX
from agentos_lambda.stores.dynamodb.requests import ConditionFailed, Requests, TransactionRefused
from agentos_lambda.stores.dynamodb.session_fields import CHANGED_BY, SessionFields
from agentos_lambda.stores.dynamodb.session_items import (
    COUNTER_SHARDS,
    EXPIRING_INDEX,
    SESSION_SHARDS,
    bare_session,
    component_partition,
    counter_key,
    counters_of,
    head_key,
    index_keys,
    is_session,
    kind_partition,
    tombstone,
    user_partition,
)
from agentos_lambda.stores.dynamodb.sessions import Sessions
from agentos_lambda.stores.dynamodb.table import Table
from agentos_lambda.stores.rules import first_entries

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


class DynamoDBDirectory:
    """Implements ``sessions.ports.SessionDirectory``."""

    def __init__(
        self,
        table: Table,
        runs: Table,
        sessions: Sessions,
        blobs: Blobs,
        requests: Requests,
        *,
        new_token: Callable[[], str],
    ) -> None:
        """``new_token`` gives a unique text: it tells a write from somebody else's."""
        self._table = table
        self._runs = runs
        self._sessions = sessions
        self._fields = SessionFields(blobs)
        self._requests = requests
        self._new_token = new_token
        self.whole = sessions.whole

    def create(self, session: Session) -> None:
        attributes: Item = {
            **VERSION,
            "kind": text(session.kind),
            "created_at": number(session.created_at),
            "updated_at": number(session.updated_at),
            **index_keys(session.session_id, session.kind, session.component_id, session.user_id),
        }
        kept, _ = self._sessions.retention_of(session.session_id, None, session.updated_at)
        attributes |= kept
        optional = {"component": session.component_id, "user_id": session.user_id, "name": session.name}
        attributes |= {name: text(value) for name, value in optional.items() if value is not None}
        # There is no session, or only what a deleted one has left.
        is_none = "attribute_not_exists(#kind)"
        token = self._new_token()
        folder = session_folder(session.session_id, session.created_at, token)
        head = self._sessions.fields_action(
            session.session_id,
            self._fields.update(None, SessionDelta(session.fields), folder, token=token),
            "SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            is_none,
            {f":{name}": value for name, value in attributes.items()},
            removed=["#expires_at"],
        )
        try:
            self._transact([{"Update": head}, *self._counted(session, 1)], token)
        except TransactionRefused:
            raise SessionExists("The session's id is taken.") from None

    def find(self, session_id: str) -> Session | None:
        item = self._table.get(head_key(session_id))
        return self._sessions.session_of(item) if item and self._sessions.is_there(item) else None

    def bare(self, session_id: str, *, expired: bool = False) -> Session | None:
        item = self._table.get(head_key(session_id))
        if not item or not (is_session(item) if expired else self._sessions.is_there(item)):
            return None
        return bare_session(item)

    def change(self, session: Session, changes: SessionDelta, *, name: str | None, now: int) -> Session | None:
        condition, values = _is_as_read(session)
        set_: Item = {"updated_at": number(now)} | ({} if name is None else {"name": text(name)})
        kept, unkept = self._sessions.retention_of(session.session_id, session.stored, now)
        set_ |= kept
        update = "SET " + ", ".join(f"#{name} = :{name}" for name in set_)
        values |= {f":{name}": value for name, value in set_.items()}
        token = self._new_token()
        fields = self._fields.update(
            session.stored, changes, session_folder(session.session_id, now, token), token=token
        )
        request = self._sessions.fields_action(session.session_id, fields, update, condition, values, removed=unkept)
        try:
            item = self._table.send_update(request)
        except ConditionFailed as failure:
            there = failure.item
            # The change was applied, but its answer was lost.
            if fields.set and there and there.get(CHANGED_BY) == text(token):
                return self._sessions.session_of(there)
            return None
        return self._sessions.session_of(item)

    def entries(self, chosen: SessionFilter, *, limit: int, ascending: bool = False) -> Sequence[SessionEntry]:
        found = [
            _entry(item)
            for index, attribute, partition in _partitions(chosen)
            for item in self._table.first(
                limit,
                f"#{attribute} = :partition",
                {":partition": text(partition)},
                index=index,
                newest_first=not ascending,
            )
        ]
        return first_entries(found, limit=limit, ascending=ascending)

    def count(self, chosen: SessionFilter) -> int:
        counters = [_counter(kind, chosen) for kind in chosen.kinds]
        keys = [counter_key(counter, shard) for counter in counters for shard in range(COUNTER_SHARDS)]
        items = self._table.get_many(keys, consistent=False)
        return max(0, sum(int(item["count"]["N"]) for item in items))

    def heads(self, session_ids: Sequence[str]) -> Sequence[Session]:
        items = self._table.get_many([head_key(session_id) for session_id in session_ids])
        found = {item["session_id"]["S"]: item for item in items if self._sessions.is_there(item)}
        return [self._sessions.session_of(found[session_id]) for session_id in session_ids if session_id in found]

    def bury(self, session_id: str, session: Session | None, *, now: int) -> bool:
        if session is None:
            # Nothing has begun a session since it was looked for.
            condition, values = "attribute_not_exists(#kind)", None
        else:
            condition, values = _is_as_read(session)
            if session.expires_at is not None and session.expires_at <= now:
                # Nobody has written to it since, so that it would live on.
                condition = f"{condition} AND #retained_until = :retained_until"
                values |= {":retained_until": number(session.expires_at)}
        note: Any = self._table.put_action({**VERSION, **tombstone(session_id, now)}, condition, values)
        counted = self._counted(session, -1) if session is not None else []
        try:
            self._transact([{"Put": note}, *counted], self._new_token())
        except TransactionRefused:
            return False
        return True

    def active_runs(self, session_id: str) -> Sequence[str]:
        items = self._runs.query(
            "#active_session = :session_id", {":session_id": text(session_id)}, index=ACTIVE_INDEX, limits=[None]
        )
        return [item["run_id"]["S"] for item in items]

    def expiring(self, *, before: int, limit: int) -> Sequence[Session]:
        found = [
            item["session_id"]["S"]
            for shard in range(SESSION_SHARDS)
            for item in self._table.query(
                "#expiry_shard = :shard AND #expiry_at < :before",
                {":shard": text(str(shard)), ":before": number(before)},
                index=EXPIRING_INDEX,
                limits=[limit // SESSION_SHARDS],
            )
        ]
        items = self._table.get_many([head_key(session_id) for session_id in found])
        return [bare_session(item) for item in items if is_session(item)]

    def look_again(self, session: Session, *, at: int) -> None:
        # It has not been deleted; and nobody has found in between that it never expires.
        expires = "attribute_exists(#kind) AND attribute_exists(#expiry_at)"
        with suppress(ConditionFailed):
            self._table.update(head_key(session.session_id), "SET #expiry_at = :at", expires, {":at": number(at)})

    def _counted(self, session: Session, difference: int) -> list[Any]:
        counters = counters_of(session.kind, session.component_id, session.user_id)
        return [
            {"Update": self._sessions.count_action(counter, session.session_id, difference)} for counter in counters
        ]

    def _transact(self, actions: Sequence[TransactWriteItemTypeDef], token: str) -> None:
        request_token = hashlib.sha256(token.encode()).hexdigest()[:36]
        self._requests.send(
            lambda clients: clients.dynamodb.transact_write_items(
                TransactItems=actions, ClientRequestToken=request_token
            )
        )


def _is_as_read(session: Session) -> tuple[str, Item]:
    """The condition that the session is still the one that was read, with the same owner; and its values."""
    # It has not been deleted, and not begun again since.
    is_same = "attribute_exists(#kind) AND #created_at = :created_at"
    values: Item = {":created_at": number(session.created_at)}
    if session.user_id is None:
        return f"{is_same} AND attribute_not_exists(#user_id)", values
    return f"{is_same} AND #user_id = :user_id", {**values, ":user_id": text(session.user_id)}


def _partitions(chosen: SessionFilter) -> Iterator[tuple[str, str, str]]:
    """Index, its key and the partition, for each that has some of the chosen sessions."""
    for kind in chosen.kinds:
        if chosen.user_id is not None:
            yield "by_user", "kind_user", user_partition(kind, chosen.user_id)
            continue
        for shard in range(SESSION_SHARDS):
            if chosen.component_id is not None:
                yield "by_component", "component_shard", component_partition(kind, chosen.component_id, shard)
            else:
                yield "by_kind", "kind_shard", kind_partition(kind, shard)


def _counter(kind: Kind, chosen: SessionFilter) -> str:
    component = None if chosen.user_id is not None else chosen.component_id
    return [*counters_of(kind, component, chosen.user_id)][-1]


def _entry(item: Mapping[str, Any]) -> SessionEntry:
    session = bare_session(item)
    return SessionEntry(
        session.session_id, session.kind, session.component_id, session.user_id, session.created_at, session.name
    )
