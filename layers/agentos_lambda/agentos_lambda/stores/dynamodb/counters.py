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
        limits = wanted.limits
        # The counter is of this month.
        condition, update = "#month = :month", "SET #runs = #runs + :runs, #changes = #changes + :one"
        values: Item = {":month": text(wanted.month), ":runs": number(int(wanted.counts)), ":one": number(1)}
        aliases: dict[str, str] = {}
        # The month's runs are fewer than may be.
        if wanted.counts and limits.runs_per_month is not None:
            condition += " AND #runs < :most_runs"
            values[":most_runs"] = number(limits.runs_per_month)
        # Even with places that have expired, there is one left; and the run has none yet.
        if limits.runs_at_once is not None:
            condition += " AND size(#places) < :most_places AND attribute_not_exists(#places.#run)"
            update += ", #places.#run = :until"
            values |= {":most_places": number(limits.runs_at_once), ":until": number(wanted.until)}
            aliases["#run"] = wanted.run_id
        self._table.update(_key(counter_id), update, condition, values, aliases)

    def _admit_by_reading(self, counter_id: str, wanted: Admission, item: Mapping[str, Any] | None) -> Verdict:
        """The counter is new, of another month, or full, perhaps of places that have expired."""
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

    def keep(self, counter_id: str, run_id: str, *, until: int) -> None:
        with suppress(ConditionFailed):  # the counter has expired with its month
            self._table.update(
                _key(counter_id),
                "SET #places.#run = :until, #changes = #changes + :one",
                "attribute_exists(#places)",
                {":until": number(until), ":one": number(1)},
                {"#run": run_id},
            )

    def free(self, counter_id: str, run_id: str, *, month: str | None = None) -> None:
        values, update = {":one": number(1)}, "SET #changes = #changes + :one"
        condition = "attribute_exists(#places)"
        if month is not None:
            update, condition = f"{update}, #runs = #runs - :one", f"{condition} AND #month = :month"
            values[":month"] = text(month)
        with suppress(ConditionFailed):
            self._table.update(_key(counter_id), f"{update} REMOVE #places.#run", condition, values, {"#run": run_id})


def _key(counter_id: str) -> Item:
    return {"counter": text(counter_id)}


def _item(counter: Counter, now: int) -> Item:
    return {
        "month": text(counter.month),
        "runs": number(counter.runs),
        "places": {"M": {run_id: number(until) for run_id, until in counter.places.items()}},
        "expires_at": number(now // 1000 + _LIVES_SECONDS),
    }


def _counter(item: Mapping[str, Any] | None) -> Counter:
    if item is None:
        return Counter()
    places = {run_id: int(until["N"]) for run_id, until in item["places"]["M"].items()}
    return Counter(item["month"]["S"], int(item["runs"]["N"]), places)
