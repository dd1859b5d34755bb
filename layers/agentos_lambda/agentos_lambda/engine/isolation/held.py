"""Output that its component wants held back until its checks have passed.

A run that waits for a person has not been checked, but has to be stored with all that it needs to go on. So it is
stored twice: as it is shown, and in whole, for the engine alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace

from agno.agent import Agent
from agno.run.requirement import RunRequirement
from agno.team import Team
from agno.workflow import Workflow

from agentos_lambda.engine.components.parts import AgnoComponent
from agentos_lambda.engine.isolation.written import WRITTEN, without_output
from agentos_lambda.engine.shown_runs import RUNS_WITHIN
from agentos_lambda.protocol.values import Json, JsonObject, RunStatus
from agentos_lambda.runs.model import RunOutput

HOLD_OUTPUT = "hold_output"
"""The key in a component's metadata by which it asks that its output waits until its checks have passed."""

_UNFINISHED = ("Paused", "Error", "Cancelled")
"""How the names of those events end that tell of a run whose checks have not passed."""
_ABOUT = frozenset({
    "run_id", "parent_run_id", "session_id", "user_id", "agent_id", "agent_name", "team_id", "team_name", "workflow_id",
    "workflow_name", "workflow_step_id", "status", "created_at", "content_type", "model", "model_provider", "metrics",
    "tools", "requirements", *RUNS_WITHIN,
})  # fmt: skip
"""The fields of a run that say nothing of what was asked or answered in it; ``tools`` and the runs within on their own
terms."""


def holds_output(component: object) -> bool:
    """Whether the component asks that nothing of its output is shown before its checks have passed."""
    return bool((getattr(component, "metadata", None) or {}).get(HOLD_OUTPUT))


class HeldOutputs:
    """What of one run is held back: its own output, or that of members and steps which ask for it."""

    def __init__(self, template: AgnoComponent) -> None:
        self.whole_run = holds_output(template)
        """Whether the run's own component asks for it."""
        self._holders: list[AgnoComponent] = []

    def note(self, some: Iterable[AgnoComponent]) -> None:
        """Hold back the output of those that ask for it. Some have an id only when they have run."""
        self._holders += filter(holds_output, some)

    def parted(self, output: RunOutput) -> RunOutput:
        """The output as it is shown; if that is less than the run needs to go on, with the whole beside it."""
        if not self._holders and not self.whole_run:
            return output
        shown = replace(output, run=self.shown(output.run), members=tuple(map(self.shown, output.members)))
        if self.whole_run and output.run.get("status") != RunStatus.COMPLETED:
            run = {**_unchecked(output.run), "content": output.run.get("content")}
            shown = replace(output, run=run, members=tuple(map(_within, output.members)))
        waits = output.run.get("status") == RunStatus.PAUSED
        return replace(shown, unchecked=output.to_json()) if waits and shown != output else shown

    def shown(self, value: JsonObject) -> JsonObject:
        """A run, or an event, without what has not been checked, at any depth."""
        shown = self._shown(value, frozenset(map(_identity, self._holders))) if self._holders else value
        return shown if isinstance(shown, dict) else {}

    def _shown(self, value: Json, holders: frozenset[tuple[str, str | None]]) -> Json:
        if isinstance(value, list):
            return [self._shown(item, holders) for item in value]
        if not isinstance(value, dict):
            return value
        if _is_unfinished(value) and not holders.isdisjoint((name, value.get(name)) for name, _ in holders):
            return _unchecked(value)
        return {name: self._shown(item, holders) for name, item in value.items()}


def whole(output: RunOutput) -> RunOutput:
    """The output as the run needs it to go on."""
    return output if output.unchecked is None else RunOutput.from_json(output.unchecked)


def _identity(component: AgnoComponent) -> tuple[str, str | None]:
    names: dict[type[AgnoComponent], str] = {Agent: "agent_id", Team: "team_id", Workflow: "workflow_id"}
    return next(name for kind, name in names.items() if isinstance(component, kind)), component.id


def _is_unfinished(value: JsonObject) -> bool:
    if "run_id" not in value:
        return False
    if "event" in value:
        return str(value["event"]).endswith(_UNFINISHED)
    return "status" in value and value["status"] != RunStatus.COMPLETED


def _unchecked(run: JsonObject) -> JsonObject:
    """What may be shown of a run whose checks have not come to their turn: what it waits for, or why it failed."""
    shown = {name: value for name, value in without_output(run).items() if name != "workflow_agent_run"}
    if "content" in run and run.get("status") != RunStatus.ERROR and "event" not in run:
        shown["content"] = None  # an event has the reason alone
    shown |= _waiting(run)
    for name in RUNS_WITHIN:
        if isinstance(run.get(name), list):
            shown[name] = [_within(each) for each in run[name]]
    if isinstance(run.get("step_results"), list):
        shown["step_results"] = [_result(each) for each in run["step_results"]]
    if isinstance(steps := run.get("step_requirements"), list):
        # Of the last one a person has to see what it asks about: the output under review, or the calls.
        shown["step_requirements"] = [*map(_settled_step, steps[:-1]), *map(_open_step, steps[-1:])]
    return shown


def _within(run: JsonObject) -> JsonObject:
    """What may be shown of a run that works for another one, whose checks are still to come."""
    return {**{name: value for name, value in _unchecked(run).items() if name in _ABOUT}, "content": None}


def _waiting(run: JsonObject) -> JsonObject:
    """The run's tools and requirements, with the calls that somebody has to decide about."""
    requirements = run.get("requirements") or run.get("executor_requirements") or ()
    open_calls = {each["tool_execution"]["tool_call_id"] for each in requirements if not _is_resolved(each)}
    shown: JsonObject = {}
    if run.get("tools"):
        shown["tools"] = [_tool(tool, open_calls) for tool in run["tools"]]
    for name in ("requirements", "executor_requirements"):
        if run.get(name):
            calls = [{**each, "tool_execution": _tool(each["tool_execution"], open_calls)} for each in run[name]]
            shown[name] = calls
    return shown


def _is_resolved(requirement: JsonObject) -> bool:
    return RunRequirement.from_dict(deepcopy(requirement)).is_resolved()


def _tool(tool: JsonObject, open_calls: set[str | None]) -> JsonObject:
    return tool if tool.get("tool_call_id") in open_calls else {**tool, "tool_args": None, "result": None}


def _result(result: Json) -> Json:
    """A step's result, and those of the steps within it."""
    if isinstance(result, list):
        return [_result(each) for each in result]
    if not isinstance(result, dict):
        return None
    kept = {name: value for name, value in result.items() if name not in WRITTEN}
    return {**kept, "content": None, **({"steps": _result(result["steps"])} if result.get("steps") else {})}


def _open_step(requirement: JsonObject) -> JsonObject:
    return {**{name: value for name, value in requirement.items() if name != "step_input"}, **_waiting(requirement)}


def _settled_step(requirement: JsonObject) -> JsonObject:
    return {
        name: value
        for name, value in requirement.items()
        if name not in ("step_input", "step_output", "edited_output", "executor_requirements")
    }
