"""A run carried on: what the slice before has left, for agno's ``acontinue_run``."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

from agno.run.agent import RunOutput as AgentRun
from agno.run.team import TeamRunOutput as TeamRun
from agno.run.workflow import WorkflowRunOutput as WorkflowRun
from agno.workflow import Workflow

from agentos_lambda.engine.arguments import run_arguments
from agentos_lambda.engine.components.parts import AgnoComponent
from agentos_lambda.engine.further_fields import further_arguments
from agentos_lambda.engine.isolation.held import whole
from agentos_lambda.protocol.values import JsonObject, Kind, RunStatus
from agentos_lambda.runs.carried import Carried
from agentos_lambda.runs.engine_ports import EngineRequest
from agentos_lambda.runs.errors import ComponentChanged
from agentos_lambda.runs.model import RunInput, RunOutput, Session

CONTINUED = frozenset({"RunContinued", "TeamRunContinued", "StepContinued"})
"""What agno says of a run that goes on. For its callers it never stopped."""

_PAUSE = ("paused_step_index", "paused_step_name", "pause_kind")
"""What agno notes of a workflow's pause, and leaves in the run."""

_SETTLED = {Kind.AGENT: "requirements", Kind.TEAM: "requirements", Kind.WORKFLOW: "step_requirements"}
"""What a run has waited for earlier. agno would act again on what was decided then, so it stays out of a slice."""

_METRICS = "data:session_metrics"
"""Of a session: agno adds a run's whenever it saves the run, and so would count those of a slice twice."""


def session_of(request: EngineRequest) -> Session | None:
    """The session as the run has it: as it was read, with what earlier slices have changed."""
    carried, session = request.carried, request.session
    if carried is None:
        return session
    if session is None:
        session = Session(request.session_id, request.kind, request.component_id, request.user_id, 0, 0)
    return replace(session, fields=carried.session.applied(session.fields))


def text_of(request: EngineRequest) -> str:
    """What earlier slices of an agent's or a team's run have said."""
    if request.carried is None or request.kind is Kind.WORKFLOW:
        return ""
    return _said_in(whole(request.carried.output).run, request.carried.state)


def _said_in(run: JsonObject, state: JsonObject) -> str:
    """The text that an agent or a team has said since it was started or continued, between its tools."""
    messages = [each for each in (run.get("messages") or ())[state["said_from"] :] if each.get("role") == "assistant"]
    texts = [each.get("content") for each in messages if not each.get("from_history")]
    return "".join(text for text in texts if isinstance(text, str))


def leave(request: EngineRequest, run: JsonObject, *, withdrawn: bool) -> JsonObject:
    """Take out of the run what is none of the next slice's, and give it as the state of the engine."""
    settled, before = _SETTLED[request.kind], request.carried.state if request.carried is not None else None
    state: JsonObject = {
        "settled": [*(before["settled"] if before is not None else ()), *(run.pop(settled, None) or ())]
    }
    paused = request.paused.run if request.paused is not None else {}
    state["said_from"] = before["said_from"] if before is not None else len(paused.get("messages") or ())
    state["withdrawn"] = withdrawn or withdrawn_before(request)
    if request.kind is Kind.WORKFLOW:
        state["stopped"] = {name: run.get(name) for name in _PAUSE}
    return state


def withdrawn_before(request: EngineRequest) -> bool:
    """Whether the events of an earlier slice hold what nobody may read any more."""
    return request.carried is not None and bool(request.carried.state["withdrawn"])


def rejoin(request: EngineRequest, run: JsonObject) -> None:
    """Put back into a run that has ended or paused what ``leave`` has taken out."""
    if request.carried is None:
        return
    state, settled = request.carried.state, _SETTLED[request.kind]
    if state["settled"]:
        run[settled] = [*state["settled"], *(run.get(settled) or ())]
    if request.kind is Kind.WORKFLOW and run.get("status") != RunStatus.PAUSED:
        if run.get("status") == RunStatus.COMPLETED and isinstance(request.carried.work, RunInput):
            run.setdefault("files", [])  # so ends a run that was never continued
        for name in _PAUSE:
            run.pop(name, None)


def carry_on(component: AgnoComponent, request: EngineRequest, carried: Carried) -> Any:
    """agno's continuation of the run. Raises ``ComponentChanged``."""
    stored: dict[str, Any] = deepcopy(whole(carried.output).run)
    if request.kind is Kind.TEAM:
        stored["member_responses"] = deepcopy(list(carried.output.members))
    stored.pop("content", None)
    arguments: dict[str, Any] = {"session_id": request.session_id, "stream": request.stream}
    if request.stream:
        arguments["stream_events"] = True
    given: dict[str, Any] = {}
    if isinstance(carried.work, RunInput):
        given = run_arguments(request, replace(carried.work, media=(), session_state=None))
    if isinstance(component, Workflow):
        run = _workflow_run(component, stored, carried.state["stopped"])
        _begin_as_new(component, request, given)
        return component.acontinue_run(run_response=run, **arguments)
    if request.stream:
        arguments["yield_run_output"] = True
    if "output_schema" in given:
        component.output_schema = given["output_schema"]
    component.add_history_to_context = False  # what was in the context is among the run's messages
    arguments |= {name: given[name] for name in ("dependencies", "metadata", "knowledge_filters") if name in given}
    further = carried.work.further if isinstance(carried.work, RunInput) else None
    agents: Callable[..., Any] = TeamRun.from_dict if request.kind is Kind.TEAM else AgentRun.from_dict
    arguments |= {"run_response": agents(stored), "user_id": request.user_id, **further_arguments(component, further)}
    return component.acontinue_run(**arguments)


def _workflow_run(component: Workflow, stored: dict[str, Any], stopped: JsonObject) -> WorkflowRun:
    prepare: Any = component._prepare_steps  # noqa: SLF001
    prepare()  # agno does so only for a run that begins
    index, steps = stopped["paused_step_index"], component.steps
    step = steps[index] if isinstance(steps, list) and index < len(steps) else None
    if step is None or getattr(step, "name", None) != stopped["paused_step_name"]:
        raise ComponentChanged("component changed")
    return WorkflowRun.from_dict({**stored, "status": RunStatus.PAUSED.value})


def _begin_as_new(component: Workflow, request: EngineRequest, given: dict[str, Any]) -> None:
    """Give the steps what those of a run that begins get. agno's continuation gives them the input alone."""
    component.user_id = request.user_id
    resolved: dict[str, Any] = component._resolve_run_params(  # noqa: SLF001
        dependencies=given.get("dependencies"),
        metadata=given.get("metadata"),
        session_metadata=None,
        add_dependencies_to_context=given.get("add_dependencies_to_context"),
        add_session_state_to_context=given.get("add_session_state_to_context"),
    )
    for step in component.steps if isinstance(component.steps, list) else ():
        for name in ("aexecute", "aexecute_stream"):
            execute = partial(
                getattr(step, name),
                add_dependencies_to_context=resolved["add_dependencies_to_context"],
                add_session_state_to_context=resolved["add_session_state_to_context"],
            )
            setattr(step, name, execute)
    for name in ("_acontinue_execute", "_acontinue_execute_stream"):
        setattr(component, name, _with_input(getattr(component, name), given, resolved))


def _with_input(execute: Callable[..., Any], given: dict[str, Any], resolved: dict[str, Any]) -> Callable[..., Any]:
    def executed(**options: Any) -> Any:
        options["execution_input"].additional_data = given.get("additional_data")
        context = options["run_context"]
        context.dependencies, context.metadata = resolved["dependencies"], resolved["metadata"]
        return execute(**options)

    return executed


def left(request: EngineRequest, run: JsonObject, members: tuple[JsonObject, ...], state: JsonObject) -> RunOutput:
    """What a slice has left, fit to be shown if the run ends there."""
    text = None if request.kind is Kind.WORKFLOW else _said_in(run, state)
    content = text or _last_step(run)
    shown = {name: value for name, value in run.items() if name != "content"}
    return RunOutput(shown if content is None else {**shown, "content": content}, members)


def _last_step(run: JsonObject) -> Any:
    results = run.get("step_results") or ()
    return results[-1].get("content") if results and isinstance(results[-1], dict) else None


def without_metrics(fields: JsonObject) -> JsonObject:
    """A session's fields without its metrics, which count when the run ends."""
    return {name: value for name, value in fields.items() if name != _METRICS}
