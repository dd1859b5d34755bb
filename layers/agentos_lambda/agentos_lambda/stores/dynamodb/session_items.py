"""The items of the table of sessions: their keys, and the keys under which indexes and counters have a session."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.model import RunRecord, Session
from agentos_lambda.stores.dynamodb.attributes import Item, number, text

SESSION_SHARDS = 4
"""Partitions of a kind, and of a component, in the indexes of sessions: 1,000 new sessions a second write 250 units a
second to each. A page of a list asks each of them."""
EXPIRING_INDEX = "expiring"
"""The sparse index of sessions that expire, by the time at which a sweep has to look at them. A session that is written
to lives on: then the sweep finds a later time in it, and moves it. So no commit writes this index."""
COUNTER_SHARDS = 16
"""Items of a counter. Two transactions that write one item at once conflict, and one of them is sent again."""

RETAINED = ("retained_until", "expiry_shard", "expiry_at")
"""Attributes by which a session expires."""

HEAD = "SESSION"
RUN = "RUN#"
_COUNT = "COUNT"


def head_key(session_id: str) -> Item:
    """The session's own item: the last of its partition."""
    return {"session_id": text(session_id), "item": text(HEAD)}


def run_key(run: RunRecord) -> Item:
    """The item of what the run left."""
    return run_item_key(run.session_id, run.accepted_at, run.run_id)


def run_item_key(session_id: str, accepted_at: int, run_id: str) -> Item:
    return {"session_id": text(session_id), "item": text(f"{RUN}{accepted_at:013d}#{run_id}")}


def first_run_after(time: int) -> str:
    """What every run's sort key is greater than that was accepted after this time, in milliseconds."""
    return f"{RUN}{time + 1:013d}#"


def session_shard(session_id: str) -> int:
    """This session's place among the partitions of a kind or component."""
    return zlib.crc32(session_id.encode()) % SESSION_SHARDS


def kind_partition(kind: Kind, shard: int) -> str:
    """Of the index ``by_kind``. A kind has no ``#``, and what follows it is apart."""
    return f"{kind}#{shard}"


def component_partition(kind: Kind, component_id: str, shard: int) -> str:
    """Of the index ``by_component``."""
    return f"{kind}#{component_id}#{shard}"


def user_partition(kind: Kind, user_id: str) -> str:
    """Of the index ``by_user``."""
    return f"{kind}#{user_id}"


def index_keys(session_id: str, kind: Kind, component_id: str | None, user_id: str | None) -> Item:
    """The attributes by which the indexes have a session: without a component or a user it is not in theirs."""
    shard = session_shard(session_id)
    keys = {"kind_shard": text(kind_partition(kind, shard))}
    if component_id is not None:
        keys["component_shard"] = text(component_partition(kind, component_id, shard))
    if user_id is not None:
        keys["kind_user"] = text(user_partition(kind, user_id))
    return keys


def retained(session_id: str, item: Mapping[str, Any] | None, until: int) -> Item:
    """The attributes by which a session expires at this time (milliseconds), if ``item`` is how it was read."""
    if item is not None and "expiry_shard" in item:
        return {"retained_until": number(until)}
    shard = text(str(session_shard(session_id)))
    return {"retained_until": number(until), "expiry_shard": shard, "expiry_at": number(until)}


def counters_of(kind: Kind, component_id: str | None, user_id: str | None) -> Iterator[str]:
    """The counters in which such a session is. No session id has a ``/``, and the word and the kind have none."""
    yield f"count/kind/{kind}"
    if component_id is not None:
        yield f"count/component/{kind}/{component_id}"
    if user_id is not None:
        yield f"count/user/{kind}/{user_id}"


def counter_key(counter: str, shard: int) -> Item:
    return {"session_id": text(f"{counter}/{shard}"), "item": text(_COUNT)}


def counter_shard(session_id: str) -> int:
    """The item of each counter in which this session is counted, when it comes and when it goes."""
    return zlib.crc32(session_id.encode()) % COUNTER_SHARDS


def is_session(item: Mapping[str, Any]) -> bool:
    """Whether a session's own item is one, and not what a deleted session has left."""
    return "kind" in item


def deleted_at(item: Mapping[str, Any]) -> int | None:
    """When the session, or an earlier one of its id, was deleted, in milliseconds."""
    return int(item["deleted_at"]["N"]) if "deleted_at" in item else None


def bare_session(item: Mapping[str, Any]) -> Session:
    """The session of its own item, without its fields and runs."""
    created_at = int(item["created_at"]["N"])
    return Session(
        session_id=item["session_id"]["S"],
        kind=Kind(item["kind"]["S"]),
        component_id=item["component"]["S"] if "component" in item else None,
        user_id=item["user_id"]["S"] if "user_id" in item else None,
        created_at=created_at,
        updated_at=int(item["updated_at"]["N"]) if "updated_at" in item else created_at,
        name=item["name"]["S"] if "name" in item else None,
        expires_at=int(item["retained_until"]["N"]) if "retained_until" in item else None,
        deleted_at=deleted_at(item),
        stored=item,
    )


def tombstone(session_id: str, time: int) -> Item:
    """What is left of a session that was deleted at this time."""
    return {**head_key(session_id), "deleted_at": number(time)}


def since_deletion(head: Mapping[str, Any], runs: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The runs of the session, without those of a deleted one of the same id, which a job has yet to remove."""
    last = deleted_at(head)
    first = first_run_after(last) if last is not None else ""
    return (item for item in runs if item["item"]["S"] >= first)


def is_of(item: Mapping[str, Any], kind: Kind, component_id: str) -> bool:
    """Whether the run is one of this component."""
    return bool(item["kind"]["S"] == kind and item["component"]["S"] == component_id)
