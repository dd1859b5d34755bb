"""Counters of callers with limits: an item for each shard."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.limits import Admission, Counter, Verdict, decide
from agentos_lambda.stores.dynamodb.attributes import VERSION, Item, number, text
from agentos_lambda.stores.dynamodb.requests import ConditionFailed
from agentos_lambda.stores.dynamodb.table import Table

_MAX_RACES = 20
"""How many writers of the same shard may overtake one before it gives up for now."""
_LIVES_SECONDS = 65 * 86_400
"""A counter of this month is of no use after the next one."""


class DynamoDBCounters:
    """Implements ``runs.limits.Counters``."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def admit(self, counter_id: str, wanted: Admission) -> Verdict:
        try:
            self._admit_at_once(counter_id, wanted)
        except ConditionFailed as failure:
            return self._admit_by_reading(counter_id, wanted, failure.item)
        return Verdict.ADMITTED

    def _admit_at_once(self, counter_id: str, wanted: Admission) -> None:
        """Without looking at the counter. Raises ``ConditionFailed`` with it where that does not do."""
        # The counter is of this month.
        is_of_month = "#month = :month"
        # Even with tokens that have expired, there is room for one.
        has_room = "size(#tokens) < :room"
        # This very admission was not applied before.
        is_new = "attribute_not_exists(#tokens.#token)"
        condition = f"{is_of_month} AND {has_room} AND {is_new}"
        values: Item = {
            ":month": text(wanted.month),
            ":room": number(wanted.room),
            ":runs": number(int(wanted.counts)),
            ":until": number(wanted.until),
            ":one": number(1),
        }
        # The month's runs are fewer than may be.
        if wanted.counts and wanted.limits.runs_per_month is not None:
            condition += " AND #runs < :most_runs"
            values[":most_runs"] = number(wanted.limits.runs_per_month)
        update = "SET #runs = #runs + :runs, #changes = #changes + :one, #tokens.#token = :until"
        self._table.update(_key(counter_id), update, condition, values, _aliases(wanted))

    def _admit_by_reading(self, counter_id: str, wanted: Admission, item: Mapping[str, Any] | None) -> Verdict:
        """The counter is new, of another month, or full, perhaps of tokens that have expired; or it has this one."""
        for _ in range(_MAX_RACES):
            counter, verdict = decide(_counter(item), wanted)
            if verdict is not Verdict.ADMITTED:
                return verdict
            changes = int(item["changes"]["N"]) if item else 0
            # Nobody has changed it since it was read.
            is_as_read = "#changes = :changes" if item else "attribute_not_exists(#counter)"
            new = {**VERSION, **_key(counter_id), **_item(counter, wanted.now), "changes": number(changes + 1)}
            try:
                self._table.put(new, is_as_read, {":changes": number(changes)} if item else None)
            except ConditionFailed as failure:
                item = failure.item
            else:
                return verdict
        raise StoreUnavailable("The counter changes too quickly.")

    def withdraw(self, counter_id: str, admitted: Admission) -> None:
        # It was not withdrawn before.
        condition = "attribute_exists(#tokens.#token)"
        update, values = "SET #changes = #changes + :one", {":one": number(1)}
        if admitted.counts:
            update, condition = f"{update}, #runs = #runs - :one", f"{condition} AND #month = :month"
            values[":month"] = text(admitted.month)
        update = f"{update} REMOVE #tokens.#token"
        try:
            self._table.update(_key(counter_id), update, condition, values, _aliases(admitted))
        except ConditionFailed as failure:
            # The month is over, and its runs with it.
            if admitted.token in _counter(failure.item).places:
                self.free(counter_id, admitted.token)

    def keep(self, counter_id: str, token: str, *, until: int) -> None:
        with suppress(ConditionFailed):  # the counter has expired with its month
            self._table.update(
                _key(counter_id),
                "SET #places.#token = :until, #changes = #changes + :one",
                "attribute_exists(#places)",
                {":until": number(until), ":one": number(1)},
                {"#token": token},
            )

    def free(self, counter_id: str, token: str) -> None:
        with suppress(ConditionFailed):  # it has expired, or was freed before
            self._table.update(
                _key(counter_id),
                "SET #changes = #changes + :one REMOVE #places.#token",
                "attribute_exists(#places.#token)",
                {":one": number(1)},
                {"#token": token},
            )


def _key(counter_id: str) -> Item:
    return {"counter": text(counter_id)}


def _aliases(admission: Admission) -> dict[str, str]:
    return {"#tokens": "places" if admission.takes_place else "receipts", "#token": admission.token}


def _item(counter: Counter, now: int) -> Item:
    return {
        "month": text(counter.month),
        "runs": number(counter.runs),
        "places": _times(counter.places),
        "receipts": _times(counter.receipts),
        "expires_at": number(now // 1000 + _LIVES_SECONDS),
    }


def _counter(item: Mapping[str, Any] | None) -> Counter:
    if item is None:
        return Counter()
    # Items of older versions have no receipts.
    places, receipts = (item.get(name, {"M": {}})["M"] for name in ("places", "receipts"))
    return Counter(item["month"]["S"], int(item["runs"]["N"]), _from_times(places), _from_times(receipts))


def _times(tokens: Mapping[str, int]) -> Item:
    return {"M": {token: number(until) for token, until in tokens.items()}}


def _from_times(attributes: Mapping[str, Any]) -> dict[str, int]:
    return {token: int(until["N"]) for token, until in attributes.items()}
