"""One run of an agno component."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

from agno.agent import Agent

from agentos_lambda.engine.arguments import run_arguments
from agentos_lambda.engine.cancellation import cancellations
from agentos_lambda.engine.components.history import past_runs
from agentos_lambda.engine.components.parts import AgnoComponent, parts
from agentos_lambda.engine.continuation.acting import Decisions, note_decisions
from agentos_lambda.engine.continuation.calls import with_unique_calls
from agentos_lambda.engine.continuation.decided_run import continue_arguments, requirements_of
from agentos_lambda.engine.database import RunDatabase
from agentos_lambda.engine.errors import ComponentExited, ComponentsError, ToolkitUnreachable
from agentos_lambda.engine.further_fields import further_arguments
from agentos_lambda.engine.given import GivenComponents, note_given
from agentos_lambda.engine.handed_over import handed_over
from agentos_lambda.engine.isolation.checks import BlockedOutputs, note_blocked_outputs
from agentos_lambda.engine.isolation.held import HeldOutputs, whole
from agentos_lambda.engine.isolation.tasks import Tasks, note_tasks
from agentos_lambda.engine.isolation.threads import RunThreads, use_threads
from agentos_lambda.engine.isolation.toolkits import Connections, note_connections
from agentos_lambda.engine.media import MediaRules
from agentos_lambda.engine.memories import RunMemories, system_time
from agentos_lambda.engine.outcome import Observations, outcome_of
from agentos_lambda.engine.output_schema import with_schema
from agentos_lambda.engine.own_copy import own_copy
from agentos_lambda.engine.past_sessions import RunPastSessions
from agentos_lambda.engine.shown_runs import as_shown
from agentos_lambda.engine.slices.carry_on import CONTINUED, carry_on, session_of, text_of
from agentos_lambda.engine.slices.safe_points import SafePoints, note_safe_points
from agentos_lambda.engine.step_runs import with_true_statuses
from agentos_lambda.engine.terminal_events import cancelled_events, error_event, paused_event
from agentos_lambda.engine.to_json import plain_object
from agentos_lambda.engine.tokens import TokenCount, count_tokens
from agentos_lambda.media.fetcher import Fetcher
from agentos_lambda.protocol.events import ERROR_EVENTS, TERMINAL_EVENTS, TEXT_EVENTS, cancel_reason, terminal_event
from agentos_lambda.protocol.values import Event, JsonObject, Kind, RunStatus
from agentos_lambda.runs.engine_ports import EngineOutcome, EngineRequest
from agentos_lambda.runs.model import Continuation, Work
from agentos_lambda.runs.usage import Usage

logger = logging.getLogger(__name__)

CANCEL_GRACE_SECONDS = 0.25
"""A cancelled run may stop by itself for so long before its task is cancelled."""

SAVE_GRACE_SECONDS = 0.5
"""agno may take so long to save an interrupted run. It takes some 10 ms, in a task of its own."""

_SUCCESSES = frozenset(
    terminal_event(kind, status) for kind in Kind for status in (RunStatus.COMPLETED, RunStatus.PAUSED)
)


class AgnoRun:
    """Runs a copy of a component in a task of its own, and hands out its events.

    ``cancel_grace_seconds``: for how long a cancelled run may stop by itself before its task is cancelled.
    """

    def __init__(
        self,
        template: AgnoComponent,
        request: EngineRequest,
        *,
        fetcher: Fetcher,
        cancel_grace_seconds: float = CANCEL_GRACE_SECONDS,
        now: Callable[[], int] = system_time,
    ) -> None:
        self._template = template
        self._media = MediaRules(template)
        self._fetcher = fetcher
        if request.paused is not None:
            request = replace(request, paused=whole(request.paused))
        self._request = request = self._media.cleaned(request)
        self._cancel_grace_seconds = cancel_grace_seconds
        carried = request.carried
        self._database = RunDatabase(  # type: ignore[abstract]  # RefusingDatabase has the rest
            request.run_id,
            request.kind,
            request.component_id,
            session_of(request),
            with_unique_calls(request.paused)[0] if request.paused is not None else None,
            members=carried.output.members if carried is not None else (),
            introduction=carried.output.introduction if carried is not None else None,
            memories=RunMemories(
                request.memories, request.user_id, now, earlier=carried.memories if carried is not None else ()
            ),
            past=RunPastSessions(request.past, request.user_id, request.session_id, runs=past_runs(template)),
        )
        self._points = SafePoints(request.run_id, self._database, text_before=text_of(request))
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._tasks = Tasks(self._exited)
        self._threads = RunThreads()
        self._connections = Connections(template, self._cannot_go_on)
        self._tokens = TokenCount()
        self._stopping = False
        self._events_ended = False
        self._blocked = BlockedOutputs(request.run_id)
        self._observed = Observations(self._blocked, Decisions(), HeldOutputs(template))
        self._outcome: EngineOutcome | None = None

    async def events(self) -> AsyncIterator[Event]:
        self._task = asyncio.create_task(self._drive(), name=f"run {self._request.run_id}")
        self._loop = asyncio.get_running_loop()
        if self._observed.cancelled:
            self._cancel_after_grace()
        try:
            completion: list[Event] = []
            while (event := await self._queue.get()) is not None:
                noted = self._noted(event)
                if completion or (self._is_own(noted) and noted["event"] in _SUCCESSES):
                    completion.append(noted)  # true only if that is the outcome
                else:
                    yield self._with_run_id(noted)
            self._outcome = self.outcome()
            for event in completion if self._outcome.status is not RunStatus.ERROR else ():
                yield event
            if self._request.stream:
                for event in self._missing_events(self._outcome):
                    yield event
        finally:
            self._events_ended = True
            self._task.cancel()  # does nothing, unless the caller stopped iterating
            self._threads.close()
            cancellations().forget(self._request.run_id)

    def cancel(self) -> None:
        self._observed.cancelled = True
        self._points.wanted = False
        cancellations().cancel_run(self._request.run_id)
        if self._events_ended:  # the same run id may be continued: it must not meet this flag
            cancellations().forget(self._request.run_id)
        elif self._loop is not None:
            with suppress(RuntimeError):  # the loop was closed
                self._loop.call_soon_threadsafe(self._cancel_after_grace)

    def hand_over(self) -> None:
        # What its checks have not passed nobody may see, and a run that waits can be seen.
        self._points.wanted = not self._observed.held.whole_run

    def outcome(self) -> EngineOutcome:
        if self._outcome is None and self._points.stopped and not self._observed.cancelled:
            self._outcome = handed_over(self._request, self._template.name, self._database, self._observed.blocked)
        return self._outcome or outcome_of(self._request, self._template.name, self._database, self._observed)

    def used(self) -> Usage:
        return self._tokens.used()

    def left_behind(self) -> bool:
        tasks_go_on = any(not task.done() for task in (self._task, *self._tasks) if task is not None)
        return tasks_go_on or self._threads.busy()

    async def _drive(self) -> None:
        run_id = self._request.run_id
        note_tasks(self._tasks)
        use_threads(self._threads)
        note_connections(self._connections)
        note_blocked_outputs(self._blocked)
        note_decisions(self._observed.decisions)
        note_safe_points(self._points)
        count_tokens(self._tokens)
        try:
            started = self._start(await self._with_files(self._request.work))
            if self._request.stream:
                if inspect.isawaitable(started):
                    started = await started
                async with aclosing(started):
                    async for item in started:
                        if getattr(item, "event", None) and not self._is_of_the_cut(item):
                            self._queue.put_nowait(plain_object(item.to_dict()))
            else:
                self._observed.returned = self._returned(await started)
        except asyncio.CancelledError:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._database.run_saved.wait(), SAVE_GRACE_SECONDS)
            for task in self._tasks:
                task.cancel()
            if not self._observed.cancelled and not self._points.stopped and self._observed.raised is None:
                raise
        except (Exception, SystemExit) as error:  # an edge: a component may raise anything
            self._observed.raised = ComponentExited(error) if isinstance(error, SystemExit) else error
            logger.warning("run %s: the component raised %r", run_id, error, exc_info=error)
        finally:
            try:
                await self._connections.close()
            finally:
                self._queue.put_nowait(None)

    def _returned(self, run: Any) -> JsonObject:
        # A class of the deployer's may change what agno returns, within its parts, too.
        saved = self._database.as_saved(run) if type(self._template) is Agent else None
        return plain_object(run.to_dict()) if saved is None else saved

    async def _with_files(self, work: Work) -> Work:
        """The work, with the bytes of the files that are to be fetched by us."""
        if isinstance(work, Continuation) or not work.media or self._request.carried is not None:
            return work
        return replace(work, media=await self._media.resolved(work.media, self._fetcher))

    def _start(self, work: Work) -> Any:
        """What agno gives depends on its arguments, beyond what its types tell."""
        request, component = self._request, own_copy(self._template, self._database)
        self._observed.held.note(parts(component))
        note_given(
            GivenComponents(
                self._database,
                in_workflow=request.kind is Kind.WORKFLOW,
                found=self._observed.held.note,
                refused=self._cannot_go_on,
            )
        )
        self._points.prepare(component, others=lambda: self._tasks, interrupt=self._interrupt)
        if request.carried is not None:
            return carry_on(component, request, request.carried)
        if isinstance(work, Continuation):
            arguments = continue_arguments(request, work)
            self._observed.decisions.expect(requirements_of(arguments["run_response"]))
            return component.acontinue_run(**arguments, **with_schema(component, request))
        return component.arun(**further_arguments(component, work.further), **run_arguments(request, work))

    def _is_of_the_cut(self, item: Any) -> bool:
        """Whether there is the event only because we made agno stop, or go on."""
        goes_on = self._request.carried is not None and item.event in CONTINUED
        return self._points.stopped or (goes_on and item.run_id == self._request.run_id)

    def _exited(self, error: ComponentExited) -> None:
        self._observed.raised = error
        self._interrupt()

    def _cannot_go_on(self, error: ToolkitUnreachable | ComponentsError) -> None:
        self._observed.raised, self._observed.missed = error, str(error)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._interrupt)

    def _cancel_after_grace(self) -> None:
        if not self._stopping and self._loop is not None:
            self._stopping = True
            self._loop.call_later(self._cancel_grace_seconds, self._interrupt)

    def _interrupt(self) -> None:
        if self._loop is not None and self._task is not None and not self._task.done():
            self._task.cancel()
            self._loop.call_later(self._cancel_grace_seconds + SAVE_GRACE_SECONDS, self._abandon)

    def _abandon(self) -> None:
        if self._task is not None and not self._task.done():
            logger.warning("run %s: the component cannot be cancelled", self._request.run_id)
            self._queue.put_nowait(None)

    def _noted(self, event: Event) -> Event:
        name = event["event"]
        if not self._is_own(event):
            self._observed.note_pause(name, str(event.get("run_id")))
        else:
            self._observed.seen.add(name)
            if name in ERROR_EVENTS:
                self._observed.error = event.get("content") or event.get("error")
            elif name in TEXT_EVENTS and isinstance(event.get("content"), str):
                self._observed.text.append(event["content"])
        return as_shown(with_true_statuses(self._observed.held.shown(self._blocked.removed_from(event))))

    def _with_run_id(self, event: Event) -> Event:
        """agno gives some events none. One of a component's own must not be taken for the end, whatever its name."""
        if "run_id" in event or event["event"] in TERMINAL_EVENTS[self._request.kind]:
            return event
        return {**event, "run_id": self._request.run_id}

    def _is_own(self, event: Event) -> bool:
        return bool(event.get("run_id") == self._request.run_id)

    def _missing_events(self, outcome: EngineOutcome) -> list[Event]:
        """The terminal events that agno did not give."""
        run, seen = outcome.output.run, self._observed.seen
        if outcome.status is RunStatus.CANCELLED:
            return [
                event
                for event in cancelled_events(self._request, run, cancel_reason(self._request.run_id))
                if event["event"] not in seen
            ]
        if outcome.status is RunStatus.ERROR and not seen & ERROR_EVENTS:
            error = self._observed.raised or RuntimeError(outcome.error)
            return [error_event(self._request, self._template.name, error)]
        if outcome.status is RunStatus.PAUSED and self._request.kind is Kind.WORKFLOW and "WorkflowPaused" not in seen:
            return [paused_event(run)]
        return []
