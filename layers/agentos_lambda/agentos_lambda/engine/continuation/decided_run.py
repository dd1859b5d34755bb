"""Paused runs taken up again: the run as agno had it, with its caller's decisions, for ``acontinue_run``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from agno.run.agent import RunOutput as AgentRun
from agno.run.requirement import RunRequirement
from agno.run.team import TeamRunOutput as TeamRun
from agno.run.workflow import WorkflowRunOutput as WorkflowRun

from agentos_lambda.engine.continuation.calls import with_unique_calls
from agentos_lambda.engine.continuation.schemas import SentRequirement, SentStep, SentTool, read_sent
from agentos_lambda.engine.continuation.steps import decide_steps
from agentos_lambda.engine.continuation.tools import decide, waits_for
from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.engine_ports import EngineRequest
from agentos_lambda.runs.errors import InvalidRequest
from agentos_lambda.runs.model import Continuation, RunOutput

_UNDECIDED = "Run has unresolved HITL requirements. Provide the `tools` or the `requirements`"


def continue_arguments(request: EngineRequest, continuation: Continuation) -> dict[str, Any]:
    """The keyword arguments of ``acontinue_run`` for this request. Raises ``InvalidRequest``, as ``decided_run``."""
    if request.paused is None:
        raise InvalidRequest("the run has left nothing to go on with")
    run = decided_run(request.kind, request.paused, continuation)
    arguments: dict[str, Any] = {"run_response": run, "session_id": request.session_id, "stream": request.stream}
    if request.stream:
        arguments["stream_events"] = True
    if not isinstance(run, WorkflowRun):
        arguments |= {"user_id": request.user_id, "requirements": run.requirements}
        if request.stream:
            arguments["yield_run_output"] = True
    return arguments


def decided_run(kind: Kind, paused: RunOutput, continuation: Continuation) -> AgentRun | TeamRun | WorkflowRun:
    """The paused run with its decisions. Raises ``InvalidRequest`` if they do not fit what the run waits for."""
    paused, former = with_unique_calls(paused)
    stored: dict[str, Any] = deepcopy(paused.run)  # from_dict empties what it is given
    if kind is Kind.WORKFLOW:
        workflow = WorkflowRun.from_dict(stored)
        steps = read_sent(SentStep, continuation.requirements or (), field="step_requirements")
        decide_steps(workflow, steps, former=former)
        return workflow
    sent = _sent(continuation)
    if kind is Kind.TEAM:
        team = TeamRun.from_dict({**stored, "member_responses": deepcopy(list(paused.members))})
        _decide_tools(team, sent, former)
        return team
    agent = AgentRun.from_dict(stored)
    if not sent:
        raise InvalidRequest(_UNDECIDED)
    _decide_tools(agent, sent, former)
    _reject_the_rest(agent)
    return agent


def requirements_of(run: AgentRun | TeamRun | WorkflowRun) -> Sequence[RunRequirement]:
    """What the run, or a workflow's step, waits or waited for of a tool."""
    if not isinstance(run, WorkflowRun):
        return run.requirements or ()
    return [
        each
        for step in (run.step_requirements or ())[-1:]
        for each in step.executor_requirements or ()
        if isinstance(each, RunRequirement)
    ]


def _sent(continuation: Continuation) -> list[SentRequirement]:
    tools = read_sent(SentTool, continuation.tools or (), field="tools")
    requirements = read_sent(SentRequirement, continuation.requirements or (), field="requirements")
    return [*map(SentRequirement.of_tool, tools), *requirements]


def _decide_tools(run: AgentRun | TeamRun, sent: list[SentRequirement], former: Mapping[str, str]) -> None:
    requirements, tools = run.requirements or [], run.tools or []
    _share_tools(requirements, run)
    decide(requirements, sent, known=[tool.tool_call_id for tool in tools if tool.tool_call_id], former=former)


def _share_tools(requirements: list[RunRequirement], run: AgentRun | TeamRun) -> None:
    """Make requirement and run speak of the same object, as they did before they were stored.

    agno looks at the run's tools to see what was decided, and marks there what it has done about it.
    """
    open_calls = {
        each.tool_execution.tool_call_id: each.tool_execution
        for each in requirements
        if each.tool_execution is not None and each.member_run_id is None and not each.is_resolved()
    }
    run.tools = [open_calls.get(tool.tool_call_id, tool) if tool.is_paused else tool for tool in run.tools or ()]


def _reject_the_rest(run: AgentRun) -> None:
    """What an agent's caller did not confirm is rejected. Everything else it has to answer."""
    for requirement in run.requirements or ():
        if requirement.needs_confirmation:
            requirement.reject()
    if unresolved := [waits_for(each) for each in run.requirements or () if not each.is_resolved()]:
        raise InvalidRequest(f"Cannot continue run - unresolved requirements: {unresolved}")
