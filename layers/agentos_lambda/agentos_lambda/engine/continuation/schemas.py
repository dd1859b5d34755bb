"""What a client sends back of a paused run: agno's own objects, of which only the decisions are looked at.

A client may send the objects whole, as it got them, or no more than an id and what it decided.
"""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, StrictBool, ValidationError

from agentos_lambda.protocol.values import Json, JsonObject
from agentos_lambda.runs.errors import InvalidRequest

Sent = TypeVar("Sent", bound=BaseModel)


class SentField(BaseModel):
    """A field of a form, filled in."""

    name: str
    value: Any = None


class SentQuestion(BaseModel):
    """A question with options, answered."""

    question: str
    selected_options: list[str] | None = None


class SentTool(BaseModel):
    """A tool execution."""

    tool_call_id: str | None = None
    tool_name: str | None = None
    tool_args: dict[str, Any] | None = None
    confirmed: StrictBool | None = None
    confirmation_note: str | None = None
    result: Any = None
    tool_call_error: StrictBool | None = None
    user_input_schema: list[SentField] | None = None
    user_feedback_schema: list[SentQuestion] | None = None
    answered: StrictBool | None = None


class SentRequirement(BaseModel):
    """A requirement of an agent or a team. It has the decision at one of two levels, or at both."""

    id: str | None = None
    member_run_id: str | None = None
    tool_execution: SentTool = Field(default_factory=SentTool)
    confirmation: StrictBool | None = None
    confirmation_note: str | None = None
    external_execution_result: Any = None
    user_input_schema: list[SentField] | None = None
    user_feedback_schema: list[SentQuestion] | None = None

    @classmethod
    def of_tool(cls, tool: SentTool) -> SentRequirement:
        """The requirement that a tool execution alone stands for."""
        return cls(tool_execution=tool)

    @property
    def confirmed(self) -> bool | None:
        return self.confirmation if self.confirmation is not None else self.tool_execution.confirmed

    @property
    def note(self) -> str | None:
        return self.confirmation_note or self.tool_execution.confirmation_note

    @property
    def result(self) -> Json:
        given = self.external_execution_result
        return given if given is not None else self.tool_execution.result

    def inputs(self) -> dict[str, Json]:
        """Field name -> value, of the fields that have one."""
        fields = [*(self.tool_execution.user_input_schema or ()), *(self.user_input_schema or ())]
        return {field.name: field.value for field in fields if field.value is not None}

    def selections(self) -> dict[str, list[str]]:
        """Question -> options, of the questions that were answered."""
        questions = [*(self.tool_execution.user_feedback_schema or ()), *(self.user_feedback_schema or ())]
        return {each.question: each.selected_options for each in questions if each.selected_options is not None}


class SentStep(BaseModel):
    """A requirement of a workflow's step, or what to do about a step that failed."""

    step_id: str
    confirmed: StrictBool | None = None
    rejection_feedback: str | None = None
    edited_output: Any = None
    user_input: dict[str, Any] | None = None
    user_input_schema: list[SentField] | None = None
    selected_choices: list[str] | None = None
    executor_requirements: list[SentRequirement] | None = None
    decision: Literal["retry", "skip"] | None = None
    """For a step that failed, where the workflow asks what to do."""

    def inputs(self) -> dict[str, Json]:
        """Field name -> value."""
        fields = {field.name: field.value for field in self.user_input_schema or () if field.value is not None}
        return {**fields, **(self.user_input or {})}


def read_sent(model: type[Sent], items: tuple[JsonObject, ...], *, field: str) -> list[Sent]:
    """The objects of the request's field of this name. Raises ``InvalidRequest``, naming the first that is wrong."""
    read = []
    for index, item in enumerate(items):
        try:
            read.append(model.model_validate(item))
        except ValidationError as invalid:
            error = invalid.errors(include_url=False, include_context=False)[0]
            place = ".".join(map(str, (index, *error["loc"])))
            raise InvalidRequest(f"Invalid structure or content for {field}: {place}: {error['msg']}") from invalid
    return read
