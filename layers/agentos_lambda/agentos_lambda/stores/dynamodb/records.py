"""The records of runs: one conditional write for each step of a run's life but its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from agentos_lambda.protocol.values import Json, RunStatus
from agentos_lambda.runs.errors import ClaimLost, Fenced, NotFound, RunExists
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb.blobs import FIELD_LIMIT, Blobs, run_folder
from agentos_lambda.stores.dynamodb.event_log import DynamoDBEventLog
from agentos_lambda.stores.dynamodb.items import (
    ACTIVE_INDEX,
    ACTIVE_SHARDS,
    Item,
    active_shard,
    names,
    number,
    record_item,
    record_key,
    record_of,
    text,
)
from agentos_lambda.stores.dynamodb.requests import ConditionFailed, Requests

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import QueryOutputTypeDef


class _Page(TypedDict):
    ExclusiveStartKey: NotRequired[Item]


class RunRecords:
    """``accept`` to ``flag_cancel`` of ``runs.ports.RunStore``."""

    def __init__(self, table: str, clients: Clients, requests: Requests, blobs: Blobs, log: DynamoDBEventLog) -> None:
        self._table = table
        self._clients = clients
        self._requests = requests
        self._blobs = blobs
        self._log = log

    def accept(self, record: RunRecord, *, work: Json = None) -> RunRecord:
        item = {**record_item(record), **self._work_attribute(record, work)}
        # Nobody has accepted a run with this id.
        is_new = "attribute_not_exists(run_id)"
        try:
            self._requests.send(
                lambda: self._clients.dynamodb.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression=is_new,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            )
        except ConditionFailed as failure:
            there = _record(failure)
            # The caller has accepted it, did not hear so, and comes again: perhaps the run has gone on meanwhile.
            if there and there.token == record.token:
                return there
            raise RunExists("The run id is in use.", there) from None
        return record

    def get(self, run_id: str) -> RunRecord | None:
        answer = self._requests.send(
            lambda: self._clients.dynamodb.get_item(TableName=self._table, Key=record_key(run_id), ConsistentRead=True)
        )
        return record_of(answer["Item"]) if "Item" in answer else None

    def work(self, record: RunRecord) -> Json:
        answer = self._requests.send(
            lambda: self._clients.dynamodb.get_item(
                TableName=self._table,
                Key=record_key(record.run_id),
                ProjectionExpression="#work",
                ExpressionAttributeNames=names("#work"),
                ConsistentRead=True,
            )
        )
        attribute = answer.get("Item", {}).get("work")
        return None if attribute is None else self._blobs.value(attribute)

    def active(self, *, accepted_before: int) -> Iterator[str]:
        for shard in range(ACTIVE_SHARDS):
            yield from self._active_in(str(shard), accepted_before)

    def claim(self, run_id: str, *, executor: str, lease_until: int, expired_before: int) -> RunRecord:
        claim: Item = {":executor": text(executor), ":lease_until": number(lease_until)}
        try:
            return self._claim_pending(run_id, claim)
        except ConditionFailed as failure:
            there = _record(failure)
        if there and _is_dead(there, expired_before) and there.executor != executor:
            try:
                return self._claim_expired(there, claim, expired_before)
            except ConditionFailed as failure:
                there = _record(failure)
        # The claim was applied, but its answer was lost on the way.
        if there and there.status is RunStatus.RUNNING and there.executor == executor:
            return there
        raise ClaimLost("The run has an executor, has ended, or does not exist.", there)

    def _claim_pending(self, run_id: str, claim: Item) -> RunRecord:
        # The run was accepted, and neither claimed nor cancelled since.
        waits = "#status = :pending"
        return self._update(
            run_id,
            f"{_CLAIM}, #attempt = #attempt + :one",
            waits,
            {**claim, ":one": number(1), ":running": text(RunStatus.RUNNING), ":pending": text(RunStatus.PENDING)},
        )

    def _claim_expired(self, dead: RunRecord, claim: Item, expired_before: int) -> RunRecord:
        logged = self._log.last_index(dead.run_id, dead.attempt)
        # Nobody has claimed the run since its log was read: the seal is that of the attempt that it is written for.
        is_same_attempt = "#attempt = :dead_attempt"
        # The attempt has not ended.
        runs = "#status = :running"
        # Its executor has not renewed its lease either.
        has_expired = "#lease_until < :expired_before"
        values = {
            **claim,
            ":one": number(1),
            ":running": text(RunStatus.RUNNING),
            ":dead_attempt": number(dead.attempt),
            ":attempt": number(dead.attempt + 1),
            ":expired_before": number(expired_before),
        }
        update, seal = f"{_CLAIM}, #attempt = :attempt", {}
        if logged is not None:
            update, seal = f"{update}, #seals.#dead = :logged", {"#dead": str(dead.attempt)}
            values[":logged"] = number(logged)
        return self._update(dead.run_id, update, f"{is_same_attempt} AND {runs} AND {has_expired}", values, seal)

    def reopen(
        self,
        record: RunRecord,
        *,
        executor: str,
        now: int,
        lease_until: int | None,
        logged: bool = True,
        work: Json = None,
    ) -> RunRecord:
        # Nobody has continued or cancelled the run since it was read: either changes its status, the first its attempt.
        is_same_attempt = "#attempt = :attempt"
        is_paused = "#status = :paused"
        condition = f"{is_same_attempt} AND {is_paused}"
        values: Item = {
            ":attempt": number(record.attempt),
            ":paused": text(RunStatus.PAUSED),
            ":executor": text(executor),
            ":shard": active_shard(record.run_id),
            ":logged": {"BOOL": logged},
            ":one": number(1),
        }
        update = "SET #active_shard = :shard, #executor = :executor, #status = :status, #logged = :logged"
        if lease_until is None:
            update += ", #queued_at = :now, #sends = :one, #work = :work"
            values |= {":status": text(RunStatus.PENDING), ":now": number(now)}
            values[":work"] = self._work_attribute(record, work)["work"]
        else:
            update += ", #attempt = #attempt + :one, #tries = #tries + :one, #lease_until = :lease_until"
            values |= {":status": text(RunStatus.RUNNING), ":lease_until": number(lease_until)}
        try:
            return self._update(record.run_id, update, condition, values)
        except ConditionFailed as failure:
            there = _record(failure)
            # The reopening was applied, but its answer was lost on the way.
            if there and there.executor == executor:
                return there
            raise ClaimLost("The run is not paused any more.", there) from None

    def note_send(self, record: RunRecord) -> RunRecord:
        # Nobody has claimed or cancelled the run since it was read.
        waits = "#status = :pending"
        # Nobody has counted this send, or queued the run again. Records of older versions count from nothing.
        is_same_send = "#sends = :sends" if record.sends else "(attribute_not_exists(#sends) OR #sends = :sends)"
        is_same_wait = "attribute_not_exists(#queued_at)"
        values: Item = {
            ":one": number(1),
            ":zero": number(0),
            ":pending": text(RunStatus.PENDING),
            ":sends": number(record.sends),
        }
        if record.queued_at is not None:
            is_same_wait = "#queued_at = :queued_at"
            values[":queued_at"] = number(record.queued_at)
        try:
            return self._update(
                record.run_id,
                "SET #sends = if_not_exists(#sends, :zero) + :one",
                f"{waits} AND {is_same_send} AND {is_same_wait}",
                values,
            )
        except ConditionFailed as failure:
            raise ClaimLost("The run does not wait any more, or was just sent.", _record(failure)) from None

    def renew(self, record: RunRecord, *, lease_until: int) -> RunRecord:
        # Nobody has taken the run over: the attempt is raised by whoever does.
        is_same_attempt = "#attempt = :attempt"
        # The attempt has not ended, by this executor or by a sweep.
        runs = "#status = :running"
        try:
            return self._update(
                record.run_id,
                "SET #lease_until = :lease_until",
                f"{is_same_attempt} AND {runs}",
                {
                    ":lease_until": number(lease_until),
                    ":attempt": number(record.attempt),
                    ":running": text(RunStatus.RUNNING),
                },
            )
        except ConditionFailed as failure:
            raise Fenced("The attempt is over.", _record(failure)) from None

    def flag_cancel(self, run_id: str, *, now: int) -> RunRecord:
        # The run was claimed and has not ended: any other needs no flag to be cancelled, or can not be.
        runs = "#status = :running"
        try:
            return self._update(
                run_id,
                "SET #cancel_requested_at = if_not_exists(#cancel_requested_at, :now)",
                runs,
                {":now": number(now), ":running": text(RunStatus.RUNNING)},
            )
        except ConditionFailed as failure:
            there = _record(failure)
            if there is None:
                raise NotFound("Run not found") from None
            return there

    def _work_attribute(self, record: RunRecord, work: Json) -> Item:
        if work is None:
            return {}
        return {"work": self._blobs.attribute(work, run_folder(record.run_id, record.attempt), limit=FIELD_LIMIT)}

    def _active_in(self, shard: str, accepted_before: int) -> Iterator[str]:
        page: _Page = {}
        while True:
            answer = self._query_active(shard, accepted_before, page)
            yield from (item["run_id"]["S"] for item in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _query_active(self, shard: str, accepted_before: int, page: _Page) -> QueryOutputTypeDef:
        return self._requests.send(
            lambda: self._clients.dynamodb.query(
                TableName=self._table,
                IndexName=ACTIVE_INDEX,
                KeyConditionExpression="active_shard = :shard AND accepted_at < :accepted_before",
                ExpressionAttributeValues={":shard": text(shard), ":accepted_before": number(accepted_before)},
                **page,
            )
        )

    def _update(
        self,
        run_id: str,
        update: str,
        condition: str,
        values: dict[str, Any],
        further_names: dict[str, str] | None = None,
    ) -> RunRecord:
        answer = self._requests.send(
            lambda: self._clients.dynamodb.update_item(
                TableName=self._table,
                Key=record_key(run_id),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames={**names(update, condition), **(further_names or {})},
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        )
        return record_of(answer["Attributes"])


_CLAIM = "SET #status = :running, #executor = :executor, #lease_until = :lease_until, #tries = #tries + :one"


def _is_dead(record: RunRecord, expired_before: int) -> bool:
    return record.status is RunStatus.RUNNING and record.lease_until is not None and record.lease_until < expired_before


def _record(failure: ConditionFailed) -> RunRecord | None:
    return record_of(failure.item) if failure.item else None
