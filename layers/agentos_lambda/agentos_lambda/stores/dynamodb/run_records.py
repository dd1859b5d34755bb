"""The records of runs: one conditional write for each step of a run's life but its end."""

from __future__ import annotations

from typing import Any

from agentos_lambda.runs.errors import ClaimLost, Fenced, NotFound, RunExists
from agentos_lambda.runs.model import RunRecord, RunStatus
from agentos_lambda.stores.dynamodb.clients import Clients
from agentos_lambda.stores.dynamodb.event_log import DynamoDBEventLog
from agentos_lambda.stores.dynamodb.items import Item, names, number, record_item, record_key, record_of, text
from agentos_lambda.stores.dynamodb.requests import ConditionFailed, Requests


class RunRecords:
    """``accept`` to ``flag_cancel`` of ``runs.ports.RunStore``."""

    def __init__(self, table: str, clients: Clients, requests: Requests, log: DynamoDBEventLog) -> None:
        self._table = table
        self._clients = clients
        self._requests = requests
        self._log = log

    def accept(self, record: RunRecord) -> RunRecord:
        # Nobody has accepted a run with this id.
        is_new = "attribute_not_exists(run_id)"
        try:
            self._requests.send(
                lambda: self._clients.dynamodb.put_item(
                    TableName=self._table,
                    Item=record_item(record),
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

    def claim(self, run_id: str, *, executor: str, now: int, lease_until: int, expired_before: int) -> RunRecord:  # noqa: ARG002
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
