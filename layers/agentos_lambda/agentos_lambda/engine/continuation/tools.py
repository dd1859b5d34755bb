"""What a client decided about the tools of a paused agent or team, applied to the requirements that were stored.

Only decisions cross over. Which tool is called, for whom and with which arguments stays as it was stored: what was
shown to be confirmed is what runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from agno.models.response import ToolExecution
from agno.run.requirement import RunRequirement

from agentos_lambda.engine.continuation.schemas import SentRequirement
from agentos_lambda.protocol.values import Json
from agentos_lambda.runs.errors import InvalidRequest


def decide(
    requirements: Sequence[RunRequirement],
    sent: Sequence[SentRequirement],
    *,
    known: Sequence[str],
    former: Mapping[str, str],
) -> None:
    """Settle the requirements that are open by what was sent; what is left out stays open.

    ``known``: ids of further tool calls of the run. They have been settled: a client may send them along. ``former``:
    the ids by which a client knows those tool calls that have got another one. Raises
    ``InvalidRequest`` for any other, and for a tool or arguments that are not those of the tool call.
    """
    decisions: dict[str, tuple[RunRequirement, SentRequirement]] = {}
    for each in sent:
        found = _find(requirements, each, former)
        if not found and each.tool_execution.tool_call_id not in known:
            raise InvalidRequest(f"The run has no requirement {_name(each)}")
        if len(found) > 1:
            raise InvalidRequest(f"The requirement {_name(each)} is ambiguous: send its id")
        for requirement in found:
            # Of several, the last: a settled call that is sent along may have the same id, and comes before.
            decisions[requirement.id] = (requirement, each)
    for requirement, decision in decisions.values():
        _settle(requirement, decision)


def waits_for(requirement: RunRequirement) -> str:
    """What an open requirement waits for, in words."""
    tool = _tool(requirement)
    if requirement.needs_confirmation:
        return f"{tool.tool_name}: confirmation"
    if requirement.needs_external_execution:
        return f"{tool.tool_name}: result"
    if requirement.needs_user_feedback:
        return f"{tool.tool_name}: selected_options"
    empty = [field.name for field in tool.user_input_schema or () if field.value is None]
    return f"{tool.tool_name}: {', '.join(empty) or 'answered'}"


def _find(
    requirements: Sequence[RunRequirement], sent: SentRequirement, former: Mapping[str, str]
) -> list[RunRequirement]:
    """By the requirement's own id; else by the tool call's, which is unique within one run, but not among members."""
    if sent.id is not None:
        by_id = [each for each in requirements if each.id == sent.id]
        if by_id:
            return by_id
    call_id = sent.tool_execution.tool_call_id
    known_as = {each.id: (own := _tool(each).tool_call_id or "", former.get(own)) for each in requirements}
    by_call = [each for each in requirements if call_id is not None and call_id in known_as[each.id]]
    if sent.member_run_id is not None:
        by_call = [each for each in by_call if each.member_run_id == sent.member_run_id]
    # A model may give an id again later in the run: what was settled under it before is not meant.
    return [each for each in by_call if not each.is_resolved()] or by_call[:1]


def _settle(requirement: RunRequirement, sent: SentRequirement) -> None:
    tool = _tool(requirement)
    if sent.tool_execution.tool_name not in (None, tool.tool_name):
        raise InvalidRequest(f"The tool {tool.tool_name} cannot be changed")
    if requirement.needs_confirmation:
        arguments = sent.tool_execution.tool_args
        if arguments is not None and arguments != (tool.tool_args or {}):
            raise InvalidRequest(f"The arguments of {tool.tool_name} cannot be changed")
        if sent.confirmed:
            requirement.confirmation = tool.confirmed = True
            requirement.confirmation_note = tool.confirmation_note = sent.note
        elif sent.confirmed is False:
            requirement.reject(sent.note)
    if requirement.needs_external_execution and sent.result is not None:
        requirement.set_external_execution_result(_as_result(sent.result))
        tool.tool_call_error = sent.tool_execution.tool_call_error
    if requirement.needs_user_feedback:
        requirement.provide_user_feedback(sent.selections())
    if requirement.needs_user_input:
        requirement.provide_user_input(sent.inputs())
        if not tool.user_input_schema:
            tool.answered = sent.tool_execution.answered


def _as_result(result: Json) -> str:
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)


def _tool(requirement: RunRequirement) -> ToolExecution:
    """The tool call that the requirement is about: agno stores none without."""
    if requirement.tool_execution is None:
        raise InvalidRequest("The run has a requirement without a tool call")
    return requirement.tool_execution


def _name(sent: SentRequirement) -> str:
    return repr(sent.id or sent.tool_execution.tool_call_id)
