"""What a run that nobody executes has left so far."""

from __future__ import annotations

import logging

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.carried import Carried
from agentos_lambda.runs.model import RunOutput, RunRecord, SessionDelta
from agentos_lambda.runs.ports import Store
from agentos_lambda.runs.work_json import carried_from_json

log = logging.getLogger(__name__)


def carried_of(store: Store, record: RunRecord) -> Carried | None:
    """What the last slice or checkpoint of the run has left; None if none has since it was started or continued."""
    if not (record.slices or record.durable) or record.status is RunStatus.PAUSED:
        return None
    work = store.work(record)
    try:
        return carried_from_json(work) if work else None
    except (AttributeError, KeyError, TypeError, ValueError):
        # The run ends all the same, with what its record says.
        log.exception("another version has left what this one cannot read", extra={"run_id": record.run_id})
        return None


def left_by(store: Store, record: RunRecord) -> tuple[RunOutput | None, SessionDelta]:
    """The run's output, if it has any, and its changes to the session that are not committed."""
    carried = carried_of(store, record)
    return (store.output(record), SessionDelta()) if carried is None else (carried.output, carried.session)
