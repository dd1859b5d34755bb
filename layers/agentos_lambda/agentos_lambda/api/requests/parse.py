"""From what a client sends to a command for the runs."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from agentos_lambda.api.errors import ApiError, FieldErrors, field_errors
from agentos_lambda.api.requests.body import Body
from agentos_lambda.api.requests.continue_form import ContinueForm
from agentos_lambda.api.requests.fields import Index, SessionId
from agentos_lambda.api.requests.run_form import RunForm
from agentos_lambda.api.requests.uploads import read_uploads
from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.commands import ContinueRun, StartRun
from agentos_lambda.runs.model import Component

_MAX_KEY = 512
"""Characters of an ``Idempotency-Key``."""


async def run_request(component: Component, body: Body, idempotency_key: str | None, deadline: int | None) -> StartRun:
    """A new run. Raises ``ApiError`` for what cannot be understood, before anything has run."""
    form = RunForm.of(body)
    if component.kind is Kind.WORKFLOW and body.files:
        raise ApiError(400, "Files are not supported for workflow runs")
    if idempotency_key is not None and not 0 < len(idempotency_key) <= _MAX_KEY:
        raise FieldErrors([("Idempotency-Key", f"Header should have 1 to {_MAX_KEY} characters")])
    uploads = read_uploads(body.files, form.files_metadata)
    return StartRun(
        component=component,
        work=await form.run_input(uploads),
        session_id=form.session_id,
        user_id=form.user_id,
        run_id=form.run_id,
        stream=bool(form.stream),
        background=bool(form.background),
        idempotency_key=idempotency_key,
        deadline=deadline,
    )


def continue_request(component: Component, run_id: str, body: Body, deadline: int | None) -> ContinueRun:
    """The continuation of a paused run. Raises ``ApiError`` for what cannot be understood."""
    form = ContinueForm.of(body)
    return ContinueRun(
        component=component,
        run_id=run_id,
        work=form.continuation(),
        session_id=form.session_id,
        user_id=form.user_id,
        stream=bool(form.stream),
        background=bool(form.background),
        deadline=deadline,
    )


class ResumeForm(BaseModel):
    """What a client may send to resume a run."""

    last_event_index: Index = None
    session_id: SessionId = None


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """Where a client resumes a run."""

    after: int
    """The index of the last event that it has; -1 if it has none."""
    session_id: str | None


def resume_point(body: Body, last_event_id: str | None) -> ResumePoint:
    """Where to resume: by the field ``last_event_index``, else by ``Last-Event-ID``. Raises ``ApiError``."""
    fields = {"last_event_index": last_event_id, **body.fields}
    try:
        form = ResumeForm.model_validate(fields)
    except ValidationError as error:
        raise field_errors(error) from error
    return ResumePoint(-1 if form.last_event_index is None else form.last_event_index, form.session_id)
