"""What a caller asks the intake for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from agentos_lambda.runs.access import ANYBODY, Caller
from agentos_lambda.runs.catalog import Component
from agentos_lambda.runs.limits import Limits
from agentos_lambda.runs.model import Continuation, RunInput
from agentos_lambda.runs.work_json import work_to_json


@dataclass(frozen=True, slots=True)
class StartRun:
    """Start a run of the component."""

    component: Component
    work: RunInput
    session_id: str | None = None
    user_id: str | None = None
    run_id: str | None = None
    stream: bool = False
    background: bool = False
    idempotency_key: str | None = None
    """Two commands of one principal with the same key are one command."""
    deadline: int | None = None
    """When the executing function will be timed out, less the time that it takes to end a run; None if never."""
    isolated: bool = False
    """Only a session of the user's own may be run in."""
    principal: str | None = None
    """Who asks: nobody else repeats its idempotency keys. None if that follows from the user."""
    account: str | None = None
    """Who answers for what the run uses; None: its user."""
    limits: Limits | None = None
    """How much the account may run."""

    @property
    def caller(self) -> Caller:
        """Whose sessions may be run in."""
        return Caller(self.user_id, isolated=self.isolated)

    def chosen_run_id(self) -> str | None:
        """The run id that follows from the command; None if any id will do."""
        if self.run_id is not None or self.idempotency_key is None:
            return self.run_id
        asking = [self.user_id] if self.principal is None else ["principal", self.principal]
        return str(uuid5(NAMESPACE_URL, json.dumps([*asking, self.idempotency_key])))

    def request_hash(self) -> str | None:
        """Differs for two commands with the same key that ask for different things; None without a key."""
        if self.idempotency_key is None:
            return None
        component = self.component
        asked_for = [
            component.kind,
            component.id,
            self.session_id,
            self.user_id,
            self.run_id,
            self.principal,
            self.stream,
            self.background,
            work_to_json(self.work),
        ]
        return hashlib.sha256(json.dumps(asked_for, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ContinueRun:
    """Continue a paused run."""

    component: Component
    run_id: str
    work: Continuation
    session_id: str | None = None
    caller: Caller = ANYBODY
    """Whose paused runs may be continued."""
    stream: bool = False
    background: bool = False
    deadline: int | None = None
    limits: Limits | None = None
    """How much the caller's account may run."""
