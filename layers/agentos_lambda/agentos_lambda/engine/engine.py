"""agno behind ``runs.ports.Engine``."""

from __future__ import annotations

from collections.abc import Callable

from agentos_lambda.engine.cancellation import cancellations
from agentos_lambda.engine.components.loader import Components, load_components
from agentos_lambda.engine.continuation.acting import watch_decisions
from agentos_lambda.engine.continuation.decided_run import decided_run
from agentos_lambda.engine.given import own_what_is_given
from agentos_lambda.engine.isolation.checks import withhold_blocked_output
from agentos_lambda.engine.isolation.held import whole
from agentos_lambda.engine.isolation.inputs import never_read_callers_objects_as_messages
from agentos_lambda.engine.isolation.results import give_values_not_objects
from agentos_lambda.engine.isolation.toolkits import connect_toolkits_by_run
from agentos_lambda.engine.media import fetch_for_agno
from agentos_lambda.engine.memories import system_time
from agentos_lambda.engine.models.adapting import adapt_models
from agentos_lambda.engine.models.missing_keys import say_where_keys_go
from agentos_lambda.engine.models.unreadable_errors import tell_errors_in_words
from agentos_lambda.engine.run import CANCEL_GRACE_SECONDS, AgnoRun
from agentos_lambda.engine.slices.idempotency import key_calls
from agentos_lambda.engine.slices.safe_points import find_safe_points
from agentos_lambda.engine.summaries import summarizing
from agentos_lambda.engine.tokens import watch_models
from agentos_lambda.media.fetcher import Fetcher
from agentos_lambda.memories.ports import Summarize
from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.engine_ports import EngineRequest
from agentos_lambda.runs.errors import NotFound
from agentos_lambda.runs.model import Continuation, RunOutput


class AgnoEngine:
    """Runs the deployer's agno components.

    ``cancel_grace_seconds``: for how long a cancelled run may stop by itself before its task is cancelled. ``fetcher``
    fetches files that callers name by URL. ``now`` gives the time of memories, in milliseconds since the epoch. Raises
    ``ComponentsError`` if it has to load the components and cannot.
    """

    def __init__(
        self,
        components: Components | None = None,
        *,
        cancel_grace_seconds: float = CANCEL_GRACE_SECONDS,
        fetcher: Fetcher | None = None,
        now: Callable[[], int] = system_time,
    ) -> None:
        self._now = now
        self._components = components if components is not None else load_components()
        self._cancel_grace_seconds = cancel_grace_seconds
        self._fetcher = fetcher or Fetcher()
        cancellations()
        never_read_callers_objects_as_messages()
        withhold_blocked_output()
        watch_decisions()
        give_values_not_objects()
        connect_toolkits_by_run()
        own_what_is_given()
        find_safe_points()
        key_calls()
        adapt_models()
        say_where_keys_go()
        tell_errors_in_words()
        watch_models()
        fetch_for_agno(self._fetcher)

    def check(self, kind: Kind, paused: RunOutput, continuation: Continuation) -> None:
        decided_run(kind, whole(paused), continuation)

    def summarizing(self, model: str | None) -> Summarize:
        """As ``memories.ports.Summarizer`` says."""
        return summarizing(model)

    def start(self, request: EngineRequest) -> AgnoRun:
        template = self._components.find(request.kind, request.component_id)
        if template is None:
            raise NotFound(f"{request.kind.label} not found")
        return AgnoRun(
            template, request, cancel_grace_seconds=self._cancel_grace_seconds, fetcher=self._fetcher, now=self._now
        )
