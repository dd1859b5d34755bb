"""Runs on their way to a worker, by whoever has stored that they wait."""

from __future__ import annotations

import logging

from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.ports import RunQueue, Store

log = logging.getLogger(__name__)


def send(queue: RunQueue, store: Store, record: RunRecord) -> None:
    """Send the run that waits. What fails is made up for by the sweeper."""
    try:
        queue.send(record.run_id)
    except StoreUnavailable:
        log.warning("the queue is unavailable; the sweeper sends the run", extra={"run_id": record.run_id})
        return
    try:
        store.note_acknowledged(record)
    except StoreUnavailable:
        log.warning("the sweeper sends the run once more", extra={"run_id": record.run_id})
