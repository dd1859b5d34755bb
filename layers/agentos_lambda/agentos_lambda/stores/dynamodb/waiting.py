"""A run that waits, for a worker or for somebody who continues it, or whose executor has died."""

from __future__ import annotations

from agentos_lambda.protocol.values import Json, RunStatus
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.timing import RESEND_AFTER_MS
from agentos_lambda.stores.dynamodb.attributes import Item, number, text
from agentos_lambda.stores.dynamodb.blobs import FIELD_LIMIT, Blobs, events_folder
from agentos_lambda.stores.rules import rounded_up

_REOPEN = (
    "SET #status = :status, #executor = :executor, #logged = :logged, #slices = :none"
    ", #due_shard = :due_shard, #due_at = :due_at, #active_session = :active_session"
)
"""Of a paused run that is continued."""


def work_attribute(blobs: Blobs, record: RunRecord, work: Json) -> Item:
    """The attribute of the work that a run waits with."""
    return blobs.attribute(work, events_folder(record.run_id, record.attempt), limit=FIELD_LIMIT)


def waits_as(record: RunRecord) -> tuple[str, Item]:
    """The condition that the run still waits, for the same thing and with the same last send; and its values."""
    # Nobody has claimed or cancelled the run since it was read.
    waits = "#status = :pending"
    # Nobody has counted another send, or queued the run again. Records of older versions count from nothing.
    is_same_send = "#sends = :sends" if record.sends else "(attribute_not_exists(#sends) OR #sends = :sends)"
    is_same_wait = "attribute_not_exists(#queued_at)"
    values: Item = {":pending": text(RunStatus.PENDING), ":sends": number(record.sends)}
    if record.queued_at is not None:
        is_same_wait = "#queued_at = :queued_at"
        values[":queued_at"] = number(record.queued_at)
    return f"{waits} AND {is_same_send} AND {is_same_wait}", values


def is_dead(record: RunRecord, expired_before: int) -> bool:
    """Whether its executor has not renewed the lease until this time."""
    return record.status is RunStatus.RUNNING and record.lease_until is not None and record.lease_until < expired_before


def queued_again(now: int) -> tuple[str, Item]:
    """The update of a paused run that a worker is to continue, and its values."""
    next_send_at = now + RESEND_AFTER_MS
    values: Item = {
        ":status": text(RunStatus.PENDING),
        ":now": number(now),
        ":next_send_at": number(next_send_at),
        ":due_at": number(rounded_up(next_send_at)),
    }
    waits = "#queued_at = :now, #sends = :one, #acknowledged_send = :none, #next_send_at = :next_send_at"
    return f"{_REOPEN}, {waits}", values


def begun_again(lease_until: int) -> tuple[str, Item]:
    """The same of one that its caller continues."""
    values: Item = {
        ":status": text(RunStatus.RUNNING),
        ":lease_until": number(lease_until),
        ":due_at": number(rounded_up(lease_until)),
    }
    begins = "#attempt = #attempt + :one, #tries = #tries + :one, #lease_until = :lease_until"
    return f"{_REOPEN}, {begins}", values
