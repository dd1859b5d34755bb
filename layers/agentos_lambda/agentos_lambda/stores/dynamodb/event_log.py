"""Packs of events: one item each, under the attempt that wrote it and its first index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from typing import Any

from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.model import EventPack, IndexedEvent, RunRecord
from agentos_lambda.stores.dynamodb.attributes import VERSION, Item, number, text
from agentos_lambda.stores.dynamodb.blobs import Blobs, events_folder
from agentos_lambda.stores.dynamodb.requests import ConditionFailed
from agentos_lambda.stores.dynamodb.table import WHOLE_PAGES, Table
from agentos_lambda.stores.rules import end_of_log, vouched_events

_NEWEST_PACKS = 4
"""A follower that polls about once a second finds everything new in this many packs, and pays for no more."""
_LAST_FIRST_INDEX = 9_999_999_999


class DynamoDBEventLog:
    """Implements ``runs.ports.EventLog``."""

    def __init__(self, table: Table, blobs: Blobs, *, clock: Clock, ttl_seconds: int) -> None:
        self._table = table
        self._blobs = blobs
        self._clock = clock
        self._ttl_seconds = ttl_seconds

    def append(self, run_id: str, attempt: int, pack: EventPack) -> None:
        item = self._item(run_id, attempt, pack, now=self._clock.now())
        # The pack is new.
        is_new = "attribute_not_exists(#run_id)"
        # Its writer got no answer and has added to it since. A shorter pack is refused: it was delayed, and would
        # replace what has been stored meanwhile, perhaps the terminal events of the commit.
        is_longer = "#last_index < :last_index"
        with suppress(ConditionFailed):
            self._table.put(item, f"{is_new} OR {is_longer}", {":last_index": item["last_index"]})

    def put_action(self, run_id: str, attempt: int, pack: EventPack, *, now: int) -> Any:
        """The action that stores a pack in a transaction. A large pack is put into S3 here."""
        return self._table.put_action(self._item(run_id, attempt, pack, now=now))

    def last_index(self, run_id: str, attempt: int) -> int | None:
        """The last index that the log holds of an attempt; None if it holds nothing."""
        newest = next(self._newest_first(run_id, attempt, attempt, limits=[1]), None)
        return None if newest is None else int(newest["last_index"]["N"])

    def read(self, record: RunRecord, *, after: int) -> list[IndexedEvent]:
        after = max(after, record.log_from - 1)
        attempts = [attempt for attempt in range(record.attempt + 1) if end_of_log(record, attempt) > after]
        if not attempts:
            return []
        now = self._clock.now() // 1000
        packs: list[tuple[int, EventPack]] = []
        # Backwards, because only the log knows which pack holds the first event after ``after``.
        limits = chain([_NEWEST_PACKS], WHOLE_PAGES)
        for item in self._newest_first(record.run_id, attempts[0], attempts[-1], limits=limits):
            attempt, first_index = (int(part) for part in item["pack"]["S"].split("#"))
            written_by_the_dead = first_index > end_of_log(record, attempt)
            # DynamoDB deletes hours after the time: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
            expired = int(item["expires_at"]["N"]) <= now
            if written_by_the_dead or expired:
                continue
            if int(item["last_index"]["N"]) > after:
                packs.append((attempt, EventPack(first_index, tuple(self._blobs.value(item["events"])))))
            if first_index <= after + 1:
                break
        return vouched_events(record, reversed(packs), after=after)

    def _item(self, run_id: str, attempt: int, pack: EventPack, *, now: int) -> Item:
        return {
            **VERSION,
            "run_id": text(run_id),
            "pack": text(_key(attempt, pack.first_index)),
            "last_index": number(pack.last_index),
            "events": self._blobs.attribute(pack.events, events_folder(run_id, attempt)),
            "expires_at": number(now // 1000 + self._ttl_seconds),
        }

    def _newest_first(
        self, run_id: str, first_attempt: int, last_attempt: int, *, limits: Iterable[int | None]
    ) -> Iterator[Mapping[str, Any]]:
        return self._table.query(
            "#run_id = :run_id AND #pack BETWEEN :first AND :last",
            {
                ":run_id": text(run_id),
                ":first": text(_key(first_attempt, 0)),
                ":last": text(_key(last_attempt, _LAST_FIRST_INDEX)),
            },
            newest_first=True,
            limits=limits,
        )


def _key(attempt: int, first_index: int) -> str:
    return f"{attempt:06d}#{first_index:010d}"
