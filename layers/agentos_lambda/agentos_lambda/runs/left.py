"""What a run that nobody executes has left so far."""

from __future__ import annotations

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.carried import Carried
from agentos_lambda.runs.model import RunOutput, RunRecord, SessionDelta
from agentos_lambda.runs.ports import Store
from agentos_lambda.runs.work_json import carried_from_json


def carried_of(store: Store, record: RunRecord) -> Carried | None:
    """What the last slice or checkpoint of the run has left; None if none has since it was started or continued."""
    if not (record.slices or record.durable) or record.status is RunStatus.PAUSED:
        return None
    work = store.work(record)
    return carried_from_json(work) if work else None


def left_by(store: Store, record: RunRecord) -> tuple[RunOutput | None, SessionDelta]:
    """The run's output, if it has any, and its changes to the session that are not committed."""
    carried = carried_of(store, record)
    return (store.output(record), SessionDelta()) if carried is None else (carried.output, carried.session)
