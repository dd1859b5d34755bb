"""What a caller asks of the service."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from agentos_lambda.runs.model import Component, Continuation, RunInput
from agentos_lambda.runs.work_json import work_to_json


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A run that a caller asks for."""

    component: Component
    input: RunInput
    session_id: str | None = None
    user_id: str | None = None
    run_id: str | None = None
    stream: bool = False
    background: bool = False
    idempotency_key: str | None = None
    """Requests of one user with the same key are one request."""
    deadline: int | None = None
    """When the executing function will be timed out, less what it takes to end a run; None if never."""

    def chosen_run_id(self) -> str | None:
        """The run id that follows from the request; None if any will do."""
        if self.run_id is not None or self.idempotency_key is None:
            return self.run_id
        return str(uuid5(NAMESPACE_URL, json.dumps([self.user_id, self.idempotency_key])))

    def request_hash(self) -> str | None:
        """What tells two requests with the same key apart; None without a key."""
        if self.idempotency_key is None:
            return None
        component = self.component
        told = [
            component.kind,
            component.id,
            self.session_id,
            self.user_id,
            self.run_id,
            self.stream,
            self.background,
            work_to_json(self.input),
        ]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ContinueRequest:
    """A paused run that a caller wants to go on."""

    component: Component
    run_id: str
    continuation: Continuation
    session_id: str | None = None
    user_id: str | None = None
    stream: bool = False
    background: bool = False
    deadline: int | None = None
