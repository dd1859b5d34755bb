"""The supervisor's ticks, driven by hand: what is due when."""

from dataclasses import replace
from threading import Event, Thread

import pytest

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.errors import NotStorable, StoreUnavailable
from agentos_lambda.runs.log_buffer import LogBuffer
from agentos_lambda.runs.model import Ending, EventPack, RunOutput, RunRecord
from agentos_lambda.runs.supervisor import AttemptSupervisor, StopReason
from agentos_lambda.runs.timing import LEASE_MS, RENEWAL_INTERVAL_MS
from agentos_lambda.runs.usage import Usage
from agentos_lambda.stores.memory import MemoryStore
from tests.clocks import ManualClock
from tests.waiting import PATIENCE_SECONDS


class CountingStore(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.down = False

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.down:
            raise StoreUnavailable("down")

    def get(self, run_id):
        self._call("get")
        return super().get(run_id)

    def renew(self, record, *, lease_until):
        self._call("renew")
        return super().renew(record, lease_until=lease_until)

    def append(self, run_id, attempt, pack):
        self._call("append")
        super().append(run_id, attempt, pack)


class Supervised:
    """A running attempt with its supervisor."""

    def __init__(self, deadline_in: int | None = None) -> None:
        self.clock, self.store = ManualClock(), CountingStore()
        self.buffer = LogBuffer(self.clock)
        now = self.clock.now()
        self.record = self.store.accept(
            RunRecord(
                "r", Kind.AGENT, "a", "s", None, RunStatus.RUNNING, now, "t", attempt=1, lease_until=now + LEASE_MS
            )
        )
        self.stops: list[StopReason] = []
        deadline = None if deadline_in is None else now + deadline_in
        self.supervisor = AttemptSupervisor(
            self.record,
            self.store,
            self.clock,
            log_buffer=self.buffer,
            deadline=deadline,
            on_stop=self.stops.append,
            used=lambda: Usage(self.clock.now() - now),
        )

    def after(self, milliseconds: int) -> list[str]:
        """The store's calls of a tick so much later."""
        self.clock.advance(milliseconds)
        self.store.calls.clear()
        self.supervisor.tick()
        return list(self.store.calls)


@pytest.fixture
def attempt():
    return Supervised()


def test_nothing_is_asked_in_the_first_second(attempt):
    assert attempt.after(999) == []


def test_the_record_is_looked_at_once_a_second_and_renewed_each_tenth(attempt):
    assert [attempt.after(1000) for _ in range(11)] == [["get"]] * 9 + [["renew"], ["get"]]
    assert attempt.store.get("r").lease_until == attempt.clock.now() - 1000 + LEASE_MS


def test_text_waits_a_second_for_more_of_it(attempt):
    attempt.buffer.add({"event": "RunContent"})
    assert attempt.after(500) == []
    attempt.buffer.add({"event": "RunContent"})
    assert attempt.after(500) == ["get", "append"]
    assert [e.index for e in attempt.store.read(attempt.record, after=-1)] == [0, 1]


def test_anything_but_text_is_logged_at_once_and_the_text_before_it_too(attempt):
    attempt.buffer.add({"event": "RunContent"})
    attempt.buffer.add({"event": "ToolCallStarted"})
    assert attempt.after(0) == ["append"]


def test_a_pack_that_could_not_be_written_is_written_later_in_order(attempt):
    attempt.buffer.add({"event": "RunStarted"})
    attempt.store.down = True
    assert attempt.after(0) == ["append"]
    attempt.store.down = False
    attempt.buffer.add({"event": "RunContent"})
    assert "append" in attempt.after(1000)
    assert [e.event["event"] for e in attempt.store.read(attempt.record, after=-1)] == ["RunStarted", "RunContent"]


def test_a_checkpoint_that_logs_while_a_pack_cannot_be_written_leaves_every_event_its_index(attempt, monkeypatch):
    append = attempt.store.append
    checkpoint = Thread(target=attempt.supervisor.flush)

    def fails_once(*_pack):
        monkeypatch.setattr(attempt.store, "append", append)
        attempt.buffer.add({"event": "ToolCallStarted"})
        checkpoint.start()
        checkpoint.join(0.05)  # it has to wait for this pack
        raise StoreUnavailable("down")

    monkeypatch.setattr(attempt.store, "append", fails_once)
    attempt.buffer.add({"event": "RunStarted"})
    attempt.supervisor.tick()
    checkpoint.join(PATIENCE_SECONDS)
    attempt.supervisor.flush()
    logged = [(e.index, e.event["event"]) for e in attempt.store.read(attempt.record, after=-1)]
    assert logged == [(0, "RunStarted"), (1, "ToolCallStarted")]


def test_an_attempt_that_slept_through_its_lease_logs_nothing(attempt):
    attempt.buffer.add({"event": "RunStarted"})
    later = attempt.clock.now() + LEASE_MS + 1
    attempt.store.claim("r", executor="other", lease_until=later + LEASE_MS, expired_before=later)
    assert attempt.after(LEASE_MS + 1) == ["renew"]
    assert attempt.stops == [StopReason.FENCED]


def test_events_that_cannot_be_stored_do_not_end_the_supervisor(attempt, monkeypatch):
    def refuse(run_id, attempt, pack):
        raise NotStorable("too large")

    attempt.buffer.add({"event": "RunStarted"})
    monkeypatch.setattr(attempt.store, "append", refuse)
    assert attempt.after(0) == []
    monkeypatch.undo()
    attempt.buffer.add({"event": "ToolCallStarted"})
    assert attempt.after(0) == ["append"]
    assert [e.index for e in attempt.store.read(attempt.record, after=-1)] == [1]


def test_a_flagged_cancel_stops_the_attempt_once(attempt):
    attempt.store.flag_cancel(attempt.store.get("r"), now=attempt.clock.now())
    attempt.after(1000)
    attempt.after(1000)
    assert attempt.stops == [StopReason.CANCELLED]


def test_an_attempt_that_another_has_taken_over_is_stopped(attempt):
    later = attempt.clock.now() + LEASE_MS + 1
    attempt.store.claim("r", executor="other", lease_until=later + LEASE_MS, expired_before=later)
    attempt.after(1000)
    assert attempt.stops == [StopReason.FENCED]


def test_an_attempt_that_another_has_taken_over_cannot_renew_its_lease(attempt):
    later = attempt.clock.now() + LEASE_MS + 1
    attempt.store.claim("r", executor="other", lease_until=later + LEASE_MS, expired_before=later)
    assert attempt.after(10_000) == ["renew"]
    assert attempt.stops == [StopReason.FENCED]


def test_an_attempt_whose_run_has_ended_is_stopped(attempt):
    ending = Ending(replace(attempt.record), RunStatus.CANCELLED, attempt.clock.now(), "e", RunOutput({}))
    attempt.store.commit(ending)
    attempt.after(1000)
    assert attempt.stops == [StopReason.FENCED]


def test_the_deadline_stops_the_attempt():
    attempt = Supervised(deadline_in=5_000)
    attempt.after(4_999)
    assert attempt.stops == []
    attempt.after(1)
    assert attempt.stops == [StopReason.DEADLINE]


def test_a_store_that_is_down_does_not_stop_the_run(attempt):
    attempt.store.down = True
    attempt.after(1000)
    attempt.store.down = False
    assert attempt.after(1000) == ["get"]
    assert attempt.stops == []


def test_the_thread_ticks_when_it_is_woken_and_writes_nothing_after_its_stop(attempt):
    attempt.supervisor.start()
    attempt.buffer.add({"event": "RunStarted"})
    attempt.supervisor.wake()
    attempt.supervisor.stop()
    written = len(attempt.store.calls)
    attempt.buffer.add({"event": "RunCompleted"})
    attempt.supervisor.wake()
    assert len(attempt.store.calls) == written


def test_a_supervisor_that_writes_is_not_taken_for_stopped(attempt, monkeypatch):
    writing, answered = Event(), Event()

    def append(run_id, attempt, pack):
        writing.set()
        answered.wait(PATIENCE_SECONDS)

    monkeypatch.setattr(attempt.store, "append", append)
    attempt.supervisor.start()
    attempt.buffer.add({"event": "RunStarted"})
    attempt.supervisor.wake()
    assert writing.wait(PATIENCE_SECONDS)
    assert not attempt.supervisor.try_stop()
    answered.set()
    attempt.supervisor.stop()
    assert attempt.supervisor.try_stop()


def test_the_last_pack_holds_what_waited_and_the_terminal_events(attempt):
    attempt.buffer.add({"event": "RunStarted"})
    attempt.buffer.take()
    attempt.buffer.add({"event": "RunContent"})
    pack, numbered = attempt.buffer.finish([{"event": "RunCompleted"}])
    assert pack == EventPack(1, ({"event": "RunContent"}, {"event": "RunCompleted"}))
    assert [e.index for e in numbered] == [2]
    assert attempt.buffer.finish([{"event": "RunError"}])[0].events[-1] == {"event": "RunError"}


def test_the_lease_is_held_from_the_moment_before_it_was_asked_for():
    attempt = Supervised()
    assert attempt.supervisor.holds_lease()
    attempt.after(LEASE_MS - 1)
    assert attempt.supervisor.holds_lease()
    attempt.clock.advance(LEASE_MS - 1)
    assert attempt.supervisor.holds_lease()
    attempt.clock.advance(1)
    assert not attempt.supervisor.holds_lease()


def test_an_attempt_whose_clock_is_set_back_keeps_its_lease(attempt):
    attempt.clock.jump(-3_600_000)
    assert [attempt.after(1000) for _ in range(10)] == [["get"]] * 9 + [["renew"]]
    assert attempt.store.get("r").lease_until == attempt.record.lease_until + RENEWAL_INTERVAL_MS
    assert attempt.supervisor.holds_lease()


def test_text_is_logged_in_time_and_a_deadline_kept_though_the_clock_is_set_back():
    attempt = Supervised(deadline_in=5_000)
    attempt.buffer.add({"event": "RunContent"})
    attempt.clock.jump(-3_600_000)
    assert attempt.after(1000) == ["get", "append"]
    assert not attempt.stops
    attempt.after(4000)
    assert attempt.stops == [StopReason.DEADLINE]


def test_an_attempt_whose_machine_was_frozen_holds_no_lease_and_looks_before_it_logs(attempt):
    attempt.buffer.add({"event": "RunStarted"})
    attempt.clock.jump(LEASE_MS)
    assert not attempt.supervisor.holds_lease()
    later = attempt.clock.now() + LEASE_MS + 1
    attempt.store.claim("r", executor="sweeper", lease_until=later + LEASE_MS, expired_before=later)
    assert attempt.after(0) == ["renew"]
    assert attempt.stops == [StopReason.FENCED]


def test_without_its_store_an_attempt_holds_its_lease_no_longer_than_it_was_given():
    attempt = Supervised()
    attempt.store.down = True
    attempt.after(LEASE_MS - 1)
    assert attempt.supervisor.holds_lease()
    attempt.after(1)
    assert not attempt.supervisor.holds_lease()


def test_a_fenced_attempt_holds_no_lease():
    attempt = Supervised()
    attempt.store.commit(
        Ending(
            attempt.record, RunStatus.CANCELLED, attempt.clock.now(), "elsewhere", RunOutput({"status": "CANCELLED"})
        )
    )
    attempt.after(1000)
    assert not attempt.supervisor.holds_lease()
