"""The promises, as checks of what any reader finds. Each look compares the store with what was seen and promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from agentos_lambda.protocol.events import terminal_event
from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.engine_ports import EngineRequest
from agentos_lambda.runs.left import carried_of
from agentos_lambda.runs.model import IndexedEvent, RunOutput, RunRecord
from agentos_lambda.runs.ports import Store

FORWARD = {
    RunStatus.PENDING: {RunStatus.RUNNING, RunStatus.CANCELLED, RunStatus.ERROR},
    RunStatus.RUNNING: {RunStatus.PENDING, RunStatus.PAUSED, RunStatus.COMPLETED, RunStatus.ERROR, RunStatus.CANCELLED},
    RunStatus.PAUSED: {RunStatus.RUNNING, RunStatus.PENDING, RunStatus.CANCELLED},
}
"""The steps that a status may take. There is none from the other statuses."""


@dataclass
class Watch:
    """Knows what clients were promised, and checks that it holds."""

    store: Store
    """Without faults: what a client finds that comes later."""
    completed_for_clients: dict[str, RunOutput] = field(default_factory=dict)
    cancels_acknowledged: set[str] = field(default_factory=set)
    _records: dict[str, RunRecord] = field(default_factory=dict)
    _logs: dict[str, list[IndexedEvent]] = field(default_factory=dict)
    _outputs: dict[str, RunOutput | None] = field(default_factory=dict)
    _left: dict[str, str] = field(default_factory=dict)
    """What the last slice or checkpoint of each run has said, with those before it."""

    def look(self, run_ids: Sequence[str], *, again: bool = False) -> None:
        """Compare. Steps may be missed between two looks, so they may be several at once.

        ``again``: also those that were seen to have ended, since nothing may change them any more.
        """
        for run_id in run_ids:
            if not again and (seen := self._records.get(run_id)) is not None and seen.status.final:
                continue
            record = self.store.get(run_id)
            if record is not None:
                self._check_record(record)
                self._check_what_is_left(record)
                self._check_log(record)
                self._check_promises(record)

    def _check_record(self, record: RunRecord) -> None:
        before = self._records.get(record.run_id)
        self._records[record.run_id] = record
        output = self.store.output(record)
        if before is not None:
            assert record.attempt >= before.attempt
            assert record.status is before.status or _leads_to(before.status, record.status), (before, record)
            if before.status.final:
                assert record == before
                assert output == self._outputs[record.run_id]
        self._outputs[record.run_id] = output

    def _check_what_is_left(self, record: RunRecord) -> None:
        """What a slice or a checkpoint has left is where the run goes on, until it ends or pauses."""
        before = self._left.get(record.run_id, "")
        if record.status.active:
            carried = carried_of(self.store, record)
            self._left[record.run_id] = "" if carried is None else carried.output.run["content"]
            assert self._left[record.run_id].startswith(before), "what was left is not where the run goes on"
        elif record.status in (RunStatus.COMPLETED, RunStatus.CANCELLED):
            output = self._outputs[record.run_id]  # none if the session has become another user's
            assert output is None or output.run["content"].startswith(before), "what was left is lost at the end"
        else:
            self._left.pop(record.run_id, None)

    def _check_log(self, record: RunRecord) -> None:
        log = list(self.store.read(record, after=-1))
        seen = self._logs.get(record.run_id, [])
        assert log[: len(seen)] == seen, "what could be read once cannot be read any more"
        assert all(earlier.index < later.index for earlier, later in pairwise(log))
        self._logs[record.run_id] = log
        if record.status.final and record.logged:
            assert log[-1].event["event"] == _last_event(record)
            names = [event.event["event"] for event in log if event.event.get("run_id") == record.run_id]
            ends = {terminal_event(record.kind, status) for status in RunStatus if status.final}
            first_end = next(place for place, name in enumerate(names) if name in ends)
            assert len(names) - first_end == (2 if record.status is RunStatus.CANCELLED else 1)

    def _check_promises(self, record: RunRecord) -> None:
        if record.run_id in self.completed_for_clients:
            assert record.status is RunStatus.COMPLETED
            assert self.store.output(record) == self.completed_for_clients[record.run_id]
        if record.run_id in self.cancels_acknowledged:
            assert record.cancel_requested or record.status is RunStatus.CANCELLED
            assert record.status in (RunStatus.RUNNING, RunStatus.CANCELLED)

    def acknowledge(self, record: RunRecord) -> None:
        """A client has got this answer to its cancel."""
        if record.cancel_requested or record.status is RunStatus.CANCELLED:
            self.cancels_acknowledged.add(record.run_id)

    def one_writer_at_a_time(self, record: RunRecord) -> None:
        """Each stretch of the log is of one writer, and the output of a success is the last writer's, after what
        earlier slices have said.

        Texts begin with ``WRITER:``.
        """
        first = 0
        last_writer = None
        logged: Counter[str] = Counter()
        for _, last in sorted(record.seals.items()):
            stretch = [event for event in self.store.read(record, after=first - 1) if event.index <= last]
            texts = [event.event["content"] for event in stretch if event.event["event"].endswith("RunContent")]
            writers = {text.partition(":")[0] for text in texts}
            assert len(writers) <= 1, (record, stretch)
            logged.update("".join(texts).split(":")[:-1])
            last_writer = next(iter(writers), last_writer)
            first = last + 1
        output = self.store.output(record)
        if record.status is RunStatus.COMPLETED and output is not None and last_writer is not None:
            content = output.run["content"]
            assert content.startswith(f"{last_writer}:") or (record.slices and f"{last_writer}:" in content)
            if record.logged:
                assert Counter(content.split(":")[:-1]) <= logged, "it says what its log does not have"

    def nothing_executed_twice(self, executed: Iterable[EngineRequest]) -> None:
        """Of all that engines have executed, each piece of a run that is not durable was executed once."""
        for (run_id, begins_with), times in Counter(map(_piece, executed)).items():
            record = self.store.get(run_id)
            assert times == 1 or (record is not None and record.durable), (run_id, begins_with, times)


def _piece(request: EngineRequest) -> tuple[str, object]:
    """The run, and what it had said when it was handed over or paused last. What is said has its writer's name."""
    carried = request.carried
    left = request.paused if carried is None else carried.output
    return request.run_id, left.run["content"] if left is not None else None


def _leads_to(before: RunStatus, after: RunStatus) -> bool:
    reached, edge = set(), {before}
    while edge := {follower for status in edge for follower in FORWARD.get(status, ())} - reached:
        reached |= edge
    return after in reached


def _last_event(record: RunRecord) -> str:
    # A cancelled run ends with two events: clients of the API take the first as decisive.
    status = RunStatus.COMPLETED if record.status is RunStatus.CANCELLED else record.status
    return terminal_event(record.kind, status)
