"""From what a client sends to a command for the runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from agentos_lambda.api.errors import ApiError, FieldErrors, field_errors
from agentos_lambda.api.requests.body import Body
from agentos_lambda.api.requests.continue_form import ContinueForm
from agentos_lambda.api.requests.fields import Index, RequestForm, SessionId, UserId
from agentos_lambda.api.requests.run_form import RunForm
from agentos_lambda.api.requests.uploads import read_uploads
from agentos_lambda.identity.principal import Principal
from agentos_lambda.protocol.values import Json, Kind
from agentos_lambda.runs.access import Caller
from agentos_lambda.runs.catalog import Component
from agentos_lambda.runs.commands import ContinueRun, StartRun

_Form = TypeVar("_Form", bound=BaseModel)

_MAX_KEY = 512
"""Characters of an ``Idempotency-Key``."""


async def run_request(
    component: Component, body: Body, idempotency_key: str | None, *, principal: Principal, deadline: int | None
) -> StartRun:
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
        user_id=principal.acts_for(form.user_id),
        run_id=form.run_id,
        stream=bool(form.stream),
        background=bool(form.background),
        idempotency_key=idempotency_key,
        deadline=deadline,
        isolated=principal.isolated,
        principal=principal.name(form.user_id),
        account=principal.account,
        limits=principal.limits,
    )


def continue_request(
    component: Component, run_id: str, body: Body, *, principal: Principal, deadline: int | None
) -> ContinueRun:
    """The continuation of a paused run. Raises ``ApiError`` for what cannot be understood."""
    form = ContinueForm.of(body)
    return ContinueRun(
        component=component,
        run_id=run_id,
        work=form.continuation(),
        session_id=form.session_id,
        caller=Caller(principal.reads_for(form.user_id), isolated=principal.isolated),
        stream=bool(form.stream),
        background=bool(form.background),
        deadline=deadline,
        limits=principal.limits,
    )


class CancelForm(RequestForm):
    """Whose run it has to be. A client may say so in the query as well."""

    session_id: SessionId = None
    user_id: UserId = None


class ResumeForm(CancelForm):
    """What a client may send to resume a run."""

    last_event_index: Index = None


@dataclass(frozen=True, slots=True)
class Asker:
    """The session and the user that a request names. A run of others is hidden from it."""

    session_id: str | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """Where a client resumes a run."""

    after: int
    """The index of the last event that it has; -1 if it has none."""
    asker: Asker


def asker(body: Body, query: Asker) -> Asker:
    """Who cancels a run. Raises ``ApiError``."""
    return _agreed(_valid(CancelForm, body.fields), query)


def resume_point(body: Body, last_event_id: str | None, query: Asker) -> ResumePoint:
    """Where to resume: by the field ``last_event_index``, else by ``Last-Event-ID``. Raises ``ApiError``."""
    form = _valid(ResumeForm, {"last_event_index": last_event_id, **body.fields})
    return ResumePoint(-1 if form.last_event_index is None else form.last_event_index, _agreed(form, query))


def _valid(form: type[_Form], fields: Mapping[str, Json]) -> _Form:
    try:
        return form.model_validate(fields)
    except ValidationError as error:
        raise field_errors(error) from error


def _agreed(form: CancelForm, query: Asker) -> Asker:
    """What body and query say. Neither wins: a proxy may have written one of them."""
    for name in ("session_id", "user_id"):
        said = {getattr(form, name), getattr(query, name)} - {None}
        if len(said) > 1:
            raise FieldErrors([(name, "differs between the query and the body")])
    return Asker(form.session_id or query.session_id, form.user_id or query.user_id)
