"""Packs of events: one item each, under the attempt that wrote it and its first index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NotRequired, TypedDict

from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.model import EventPack, IndexedEvent, RunRecord
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb.blobs import Blobs, events_folder
from agentos_lambda.stores.dynamodb.items import VERSION, Item, number, text
from agentos_lambda.stores.dynamodb.requests import ConditionFailed, Requests
from agentos_lambda.stores.rules import end_of_log, vouched_events

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import QueryOutputTypeDef

_NEWEST_PACKS = 4
"""A follower who asks about once a second finds what is new in so many packs, and pays for no more."""
_LAST_FIRST_INDEX = 9_999_999_999


class _Page(TypedDict):
    Limit: NotRequired[int]
    ExclusiveStartKey: NotRequired[Item]


class DynamoDBEventLog:
    """The log's part of ``runs.ports.Store``."""

    def __init__(
        self, table: str, clients: Clients, requests: Requests, blobs: Blobs, *, clock: Clock, ttl_seconds: int
    ) -> None:
        self._table = table
        self._clients = clients
        self._requests = requests
        self._blobs = blobs
        self._clock = clock
        self._ttl_seconds = ttl_seconds

    def item(self, run_id: str, attempt: int, pack: EventPack, *, now: int) -> Item:
        """The item of a pack; a large pack is put into S3 here."""
        return {
            **VERSION,
            "run_id": text(run_id),
            "pack": text(_key(attempt, pack.first_index)),
            "last_index": number(pack.last_index),
            "events": self._blobs.attribute(pack.events, events_folder(run_id, attempt)),
            "expires_at": number(now // 1000 + self._ttl_seconds),
        }

    def append(self, run_id: str, attempt: int, pack: EventPack) -> None:
        item = self.item(run_id, attempt, pack, now=self._clock.now())
        # The pack is new.
        is_new = "attribute_not_exists(run_id)"
        # Its writer had no answer and has put more into it since. The other way round, a write that was under way for
        # long would take back what stands there, perhaps the terminal events of the commit.
        is_longer = "last_index < :last_index"
        try:
            self._requests.send(
                lambda: self._clients.dynamodb.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression=f"{is_new} OR {is_longer}",
                    ExpressionAttributeValues={":last_index": item["last_index"]},
                )
            )
        except ConditionFailed:
            return

    def last_index(self, run_id: str, attempt: int) -> int | None:
        """The last index that the log holds of an attempt; None if it holds nothing."""
        answer = self._newest_first(run_id, attempt, attempt, {"Limit": 1})
        return max((int(item["last_index"]["N"]) for item in answer["Items"]), default=None)

    def read(self, record: RunRecord, *, after: int) -> list[IndexedEvent]:
        attempts = [attempt for attempt in range(record.attempt + 1) if end_of_log(record, attempt) > after]
        if not attempts:
            return []
        now = self._clock.now() // 1000
        packs: list[tuple[int, EventPack]] = []
        # Backwards, because only the log knows which pack holds the first event that is wanted.
        for item in self._pages(record.run_id, attempts[0], attempts[-1]):
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

    def _pages(self, run_id: str, first_attempt: int, last_attempt: int) -> Iterator[Item]:
        page: _Page = {"Limit": _NEWEST_PACKS}
        while True:
            answer = self._newest_first(run_id, first_attempt, last_attempt, page)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _newest_first(self, run_id: str, first_attempt: int, last_attempt: int, page: _Page) -> QueryOutputTypeDef:
        return self._requests.send(
            lambda: self._clients.dynamodb.query(
                TableName=self._table,
                KeyConditionExpression="run_id = :run_id AND pack BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":run_id": text(run_id),
                    ":first": text(_key(first_attempt, 0)),
                    ":last": text(_key(last_attempt, _LAST_FIRST_INDEX)),
                },
                ConsistentRead=True,
                ScanIndexForward=False,
                **page,
            )
        )


def _key(attempt: int, first_index: int) -> str:
    return f"{attempt:06d}#{first_index:010d}"
