"""How a run ended, from what agno saved of it and what was seen of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from agentos_lambda.engine.database import RunDatabase
from agentos_lambda.engine.isolation.checks import BlockedOutputs, without_output
from agentos_lambda.engine.session_fields import difference, to_fields
from agentos_lambda.engine.step_runs import with_true_statuses
from agentos_lambda.engine.to_json import plain
from agentos_lambda.protocol.events import cancel_reason
from agentos_lambda.protocol.values import JsonObject, Kind, RunStatus
from agentos_lambda.runs.model import RunOutput, SessionDelta
from agentos_lambda.runs.ports import EngineOutcome, EngineRequest

_INTERRUPTED = "Operation cancelled by user"
"""What agno says in an interrupted run that had no text yet."""


@dataclass(slots=True)
class Observations:
    """What was seen of a run from outside."""

    blocked: BlockedOutputs
    held: bool
    """Whether the output is shown only when the checks have passed."""
    cancelled: bool = False
    raised: BaseException | None = None
    error: str | None = None
    text: list[str] = field(default_factory=list)
    """The text deltas of the run itself."""
    seen: set[str] = field(default_factory=set)
    """The names of the run's own events."""


def outcome_of(
    request: EngineRequest, name: str | None, database: RunDatabase, observed: Observations
) -> EngineOutcome:
    """The outcome. The status is final or PAUSED, and the same in the output."""
    saved = database.run
    status = _status(saved, observed)
    run = with_true_statuses(dict(saved)) if saved is not None else _unsaved(request, name, status, observed)
    run["status"] = status.value
    if observed.held and status is not RunStatus.COMPLETED:
        run = _unchecked(run, status)
    if status is RunStatus.CANCELLED:
        run["cancellation_stage"] = run.get("cancellation_stage") or "EXECUTING"
        if run.get("content") in (None, "", _INTERRUPTED, request.paused and request.paused.run.get("content")):
            run["content"] = "".join(observed.text) or cancel_reason(request.run_id)
    members: tuple[JsonObject, ...] = ()
    if request.kind is Kind.TEAM:
        members = tuple(_lean(observed.blocked.removed_from(run)) for run in database.members)
        run["member_responses"] = []
    return EngineOutcome(
        status=status,
        output=RunOutput(run=_lean(observed.blocked.removed_from(run)), members=members),
        session=_delta(request, database),
        error=_error(run, observed) if status is RunStatus.ERROR else None,
        withdrawn=observed.blocked.streamed,
    )


def _status(saved: JsonObject | None, observed: Observations) -> RunStatus:
    status = RunStatus(saved["status"]) if saved and saved.get("status") in RunStatus.__members__ else RunStatus.RUNNING
    interrupted = status is RunStatus.CANCELLED and observed.raised is not None
    if not status.active and not interrupted:
        return status
    return RunStatus.CANCELLED if observed.cancelled else RunStatus.ERROR


def _error(run: JsonObject, observed: Observations) -> str:
    raised = str(plain(str(observed.raised))) if observed.raised is not None else None
    content = run.get("content")
    return observed.error or raised or (content if isinstance(content, str) else None) or "The run failed"


def _unsaved(request: EngineRequest, name: str | None, status: RunStatus, observed: Observations) -> JsonObject:
    """The run that agno did not come to save; one that went on, with what it had left when it paused."""
    kind, message = request.kind.value, plain(getattr(request.work, "message", None))
    run: JsonObject = {
        "run_id": request.run_id,
        f"{kind}_id": request.component_id,
        f"{kind}_name": name,
        "session_id": request.session_id,
        "user_id": request.user_id,
        "content_type": "str",
        "created_at": int(time.time()),
        "input": message if request.kind is Kind.WORKFLOW else {"input_content": message},
        **(request.paused.run if request.paused is not None else {}),
        "content": "".join(observed.text) or None,
    }
    if status is RunStatus.ERROR and run["content"] is None:
        run["content"] = _error(run, observed)
    return {key: value for key, value in run.items() if value is not None}


def _unchecked(run: JsonObject, status: RunStatus) -> JsonObject:
    """What may be shown of a run whose checks have not come to their turn; a paused one needs the rest to go on."""
    if status is RunStatus.ERROR:
        return without_output(run)
    return {**(run if status is RunStatus.PAUSED else without_output(run)), "content": None}


def _lean(run: JsonObject) -> JsonObject:
    """Without the events that agno keeps of failed runs: the log has them."""
    lean = {key: value for key, value in run.items() if key != "events"}
    for key in ("member_responses", "step_executor_runs"):
        if isinstance(lean.get(key), list):
            lean[key] = [_lean(inner) for inner in lean[key]]
    return lean


def _delta(request: EngineRequest, database: RunDatabase) -> SessionDelta:
    if database.session is None:
        return SessionDelta()
    return difference(request.session.fields if request.session else {}, to_fields(database.session))
