"""What a client decided about a paused workflow's steps, applied to the requirements that were stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agno.run.requirement import RunRequirement
from agno.run.workflow import WorkflowRunOutput
from agno.workflow.types import StepRequirement

from agentos_lambda.engine.continuation.schemas import SentStep
from agentos_lambda.engine.continuation.tools import decide
from agentos_lambda.engine.isolation.inputs import as_data
from agentos_lambda.engine.to_json import plain_object
from agentos_lambda.runs.errors import InvalidRequest


def decide_steps(run: WorkflowRunOutput, sent: Sequence[SentStep], *, former: Mapping[str, str]) -> None:
    """Settle what the workflow waits for. Raises ``InvalidRequest`` if something is left open or does not fit.

    The requirement that a workflow waits for is its last: those before it were settled at earlier pauses. ``former``:
    see ``decide``.
    """
    requirements, errors = run.step_requirements or [], run.error_requirements or []
    known = {each.step_id for each in requirements} | {each.step_id for each in errors}
    by_step = {each.step_id: each for each in sent}
    if unknown := sorted(by_step.keys() - known):
        raise InvalidRequest(f"The run has no requirement of a step {unknown[0]!r}")
    for error in errors:
        if error.step_id in by_step:
            error.decision = by_step[error.step_id].decision
    if unresolved := [error.step_name for error in errors if error.needs_decision]:
        raise InvalidRequest(f"Cannot continue run - unresolved error requirements: {unresolved}")
    if errors:
        run.step_requirements = None  # agno would act again on the last one, which was settled earlier
    elif requirements:
        requirements[-1] = _decided(requirements[-1], by_step.get(requirements[-1].step_id), former)
        for settled in requirements[:-1]:
            settled.edited_output = None  # agno would put it in the place of the last step's output, too


def _decided(requirement: StepRequirement, sent: SentStep | None, former: Mapping[str, str]) -> StepRequirement:
    if requirement.is_timed_out:  # agno does what the step says of that
        return requirement
    if sent is not None:
        requirement = _with_inputs(requirement, sent)
        _settle(requirement, sent, former)
    if not requirement.is_resolved:
        raise InvalidRequest(f"Cannot continue run - unresolved step requirements: {[requirement.step_name]}")
    return requirement


def _settle(requirement: StepRequirement, sent: SentStep, former: Mapping[str, str]) -> None:
    if requirement.requires_confirmation or requirement.requires_output_review:
        if sent.confirmed:
            requirement.confirm()
        elif sent.confirmed is False:
            requirement.reject(sent.rejection_feedback)
        if sent.edited_output is not None and sent.confirmed is not False:
            requirement.edit(as_data(sent.edited_output))
    if requirement.requires_route_selection and sent.selected_choices is not None:
        _select(requirement, sent.selected_choices)
    if requirement.requires_executor_input:
        inner = [RunRequirement.from_dict(plain_object(each)) for each in requirement.executor_requirements or ()]
        decide(inner, sent.executor_requirements or (), known=(), former=former)
        requirement.executor_requirements = inner


def _with_inputs(requirement: StepRequirement, sent: SentStep) -> StepRequirement:
    """The requirement with the form filled in. Raises ``InvalidRequest`` for values that do not fit the form."""
    inputs = sent.inputs()
    if not requirement.requires_user_input or not inputs:
        return requirement
    filled: dict[str, Any] = {**requirement.to_dict(), "user_input": as_data(inputs)}
    try:
        return StepRequirement.from_dict(filled)
    except (TypeError, ValueError) as error:
        raise InvalidRequest(" ".join(str(error).split())) from error


def _select(requirement: StepRequirement, choices: list[str]) -> None:
    offered = requirement.available_choices or []
    if unknown := [choice for choice in choices if choice not in offered]:
        raise InvalidRequest(f"{requirement.step_name} has no choice {unknown[0]!r}")
    if len(choices) > 1 and not requirement.allow_multiple_selections:
        raise InvalidRequest(f"{requirement.step_name} takes one choice")
    requirement.selected_choices = choices
