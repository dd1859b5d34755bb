"""How a run ended, from what agno saved of it and what was seen of it."""

from __future__ import annotations

import time
from copy import deepcopy
from dataclasses import dataclass, field

from agno.run.requirement import RunRequirement

from agentos_lambda.engine.continuation.acting import Decisions
from agentos_lambda.engine.database import RunDatabase
from agentos_lambda.engine.isolation.checks import BlockedOutputs
from agentos_lambda.engine.isolation.held import HeldOutputs
from agentos_lambda.engine.output_schema import KEPT, schema_of
from agentos_lambda.engine.refusing_database import refusal
from agentos_lambda.engine.session_fields import difference, to_fields
from agentos_lambda.engine.shown_runs import as_shown
from agentos_lambda.engine.slices.carry_on import rejoin, text_of, withdrawn_before
from agentos_lambda.engine.step_runs import with_true_statuses
from agentos_lambda.engine.to_json import plain
from agentos_lambda.protocol.events import cancel_reason
from agentos_lambda.protocol.output_schema import mismatch
from agentos_lambda.protocol.values import JsonObject, Kind, RunStatus
from agentos_lambda.runs.engine_ports import EngineOutcome, EngineRequest
from agentos_lambda.runs.model import RunOutput, SessionDelta

_INTERRUPTED = "Operation cancelled by user"
"""What agno says in an interrupted run that had no text yet."""


@dataclass(slots=True)
class Observations:
    """What was seen of a run from outside."""

    blocked: BlockedOutputs
    decisions: Decisions
    held: HeldOutputs
    cancelled: bool = False
    raised: BaseException | None = None
    error: str | None = None
    text: list[str] = field(default_factory=list)
    """The text deltas of the run itself."""
    seen: set[str] = field(default_factory=set)
    """The names of the run's own events."""
    missed: str | None = None
    """In words, what the run must not go on without, or with: a toolkit, or a part that has something kept."""
    returned: JsonObject | None = None
    """The run as it was returned, not as it was saved."""
    paused: set[str] = field(default_factory=set)
    """The ids of inner runs that paused and did not go on."""

    def note_pause(self, name: str, run_id: str) -> None:
        """Note an inner run's event of this name."""
        if name.endswith("Paused"):
            self.paused.add(run_id)
        elif name.endswith(("Continued", "Completed")):
            self.paused.discard(run_id)


def outcome_of(
    request: EngineRequest, name: str | None, database: RunDatabase, observed: Observations
) -> EngineOutcome:
    """The outcome. The status is final or PAUSED, and the same in the output."""
    saved = database.run
    status = _status(saved, observed)
    run = with_true_statuses(dict(saved)) if saved is not None else _unsaved(request, name, status, observed)
    undone = _unkept(status, database) or _undone(run, status, observed) or _unfit(run, status, request)
    if undone is not None:
        status, observed.error = RunStatus.ERROR, undone
        run["content"] = undone
    run["status"] = status.value
    rejoin(request, run)
    if status is RunStatus.PAUSED and (schema := schema_of(request)) is not None:
        run[KEPT] = schema
    if status is RunStatus.ERROR and run.get("content") in (None, "", _INTERRUPTED):
        run["content"] = _error(run, observed)
    if observed.held.whole_run and status is not RunStatus.COMPLETED:
        run["content"] = _error(run, observed) if status is RunStatus.ERROR else None
    if status is RunStatus.CANCELLED:
        run["cancellation_stage"] = run.get("cancellation_stage") or "EXECUTING"
        reason = cancel_reason(request.run_id)  # agno's own sentence, in place of a text
        if run.get("content") in (None, "", reason, _INTERRUPTED, request.paused and request.paused.run.get("content")):
            run["content"] = "".join(observed.text)
        if isinstance(run["content"], str):
            run["content"] = text_of(request) + run["content"] or reason
    members: tuple[JsonObject, ...] = ()
    if request.kind is Kind.TEAM:
        members = tuple(as_shown(observed.blocked.removed_from(run)) for run in database.members)
        run["member_responses"] = []
    shown = as_shown(observed.blocked.removed_from(run))
    output = RunOutput(shown, members, introduction=database.introduction)
    return EngineOutcome(
        answer=_answer(run, observed),
        status=status,
        output=observed.held.parted(output),
        session=delta_of(request, database),
        memories=database.memories.changes(),
        error=_error(run, observed) if status is RunStatus.ERROR else None,
        withdrawn=observed.blocked.streamed or withdrawn_before(request),
    )


def _status(saved: JsonObject | None, observed: Observations) -> RunStatus:
    status = RunStatus(saved["status"]) if saved and saved.get("status") in RunStatus.__members__ else RunStatus.RUNNING
    interrupted = status is RunStatus.CANCELLED and observed.raised is not None
    if not status.active and not interrupted:
        return status
    return RunStatus.CANCELLED if observed.cancelled else RunStatus.ERROR


def _answer(run: JsonObject, observed: Observations) -> JsonObject | None:
    """The run as it happened, which may be more than its component's settings let be stored.

    None if it was not returned, ended in another way than agno thought, or has not passed its checks.
    """
    returned, unchecked = observed.returned, observed.held.whole_run and run["status"] != RunStatus.COMPLETED
    if returned is None or unchecked or returned.get("status") != run["status"]:
        return None
    return observed.held.shown(as_shown(observed.blocked.removed_from(with_true_statuses(returned))))


def _unkept(status: RunStatus, database: RunDatabase) -> str | None:
    """In words, what a run that agno takes for complete, or for one that waits, wanted to have kept; None if nothing.

    The manifest refuses the settings that do this. Tools, members and the like that a function gives are not in it.
    """
    succeeded = status in (RunStatus.COMPLETED, RunStatus.PAUSED)
    if succeeded and database.memories.unread:
        return "The memories of the user could not be read"
    return refusal(database.refused) if succeeded and database.refused is not None else None


def _undone(run: JsonObject, status: RunStatus, observed: Observations) -> str | None:
    """In words, what was left undone by a run that agno takes for complete, or for one that waits; None if nothing."""
    unheeded = observed.decisions.unheeded()
    if unheeded is not None and (status is RunStatus.COMPLETED or _waits_for_nothing(run, status)):
        return unheeded
    if observed.missed is not None and status in (RunStatus.COMPLETED, RunStatus.PAUSED):
        return observed.missed
    if status is not RunStatus.COMPLETED:
        return None
    within = run.get("step_executor_runs") or ()
    waits = next((each for each in within if each.get("status") == RunStatus.PAUSED), None)
    if waits is None and not observed.paused:
        return None
    name = next((waits[key] for key in ("workflow_name", "team_name", "agent_name") if waits and waits.get(key)), None)
    return f"{name or 'A part of the run'} waits for a decision that cannot be handed to it: nothing there went on"


def _unfit(run: JsonObject, status: RunStatus, request: EngineRequest) -> str | None:
    """In words, why the answer does not fit the schema that the caller sent; None if it does, or none was sent."""
    schema = schema_of(request)
    if schema is None or status is not RunStatus.COMPLETED:
        return None
    unfit = mismatch(run.get("content"), schema)
    return f"The answer does not fit the output schema: {unfit}" if unfit is not None else None


def _waits_for_nothing(run: JsonObject, status: RunStatus) -> bool:
    """Whether a paused agent or team waits, but for no decision that anyone could make."""
    requirements = [RunRequirement.from_dict(deepcopy(each)) for each in run.get("requirements") or ()]
    return status is RunStatus.PAUSED and bool(requirements) and all(each.is_resolved() for each in requirements)


def _error(run: JsonObject, observed: Observations) -> str:
    raised = str(plain(str(observed.raised))) if observed.raised is not None else None
    content = run.get("content")
    return observed.error or raised or (content if isinstance(content, str) else None) or "The run failed"


def _unsaved(request: EngineRequest, name: str | None, status: RunStatus, observed: Observations) -> JsonObject:
    """The run that agno did not come to save; one that went on, with what it had left before."""
    before = request.carried.output if request.carried is not None else request.paused
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
        **(before.run if before is not None else {}),
        "content": "".join(observed.text) or None,
    }
    if status is RunStatus.ERROR and run["content"] is None:
        run["content"] = _error(run, observed)
    return {key: value for key, value in run.items() if value is not None}


def delta_of(request: EngineRequest, database: RunDatabase) -> SessionDelta:
    """What the run has changed in its session, over all its slices."""
    if database.session is None:
        return request.carried.session if request.carried is not None else SessionDelta()
    return difference(request.session.fields if request.session else {}, to_fields(database.session))
