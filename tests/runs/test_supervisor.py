"""The keeper's turns, driven by hand: what is due when."""

from dataclasses import replace

import pytest

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.errors import NotStorable, StoreUnavailable
from agentos_lambda.runs.log_buffer import LogBuffer
from agentos_lambda.runs.model import Ending, EventPack, RunOutput, RunRecord
from agentos_lambda.runs.supervisor import Keeper, StopReason
from agentos_lambda.runs.timing import LEASE, RENEW_EVERY
from agentos_lambda.stores.memory import MemoryStore
from tests.clocks import ManualClock


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


class Kept:
    """A running attempt with its keeper."""

    def __init__(self, deadline_in: int | None = None) -> None:
        self.clock, self.store = ManualClock(), CountingStore()
        self.buffer = LogBuffer(self.clock)
        now = self.clock.now()
        self.record = self.store.accept(
            RunRecord("r", Kind.AGENT, "a", "s", None, RunStatus.RUNNING, now, "t", attempt=1, lease_until=now + LEASE)
        )
        self.stops: list[StopReason] = []
        deadline = None if deadline_in is None else now + deadline_in
        self.keeper = Keeper(
            self.record,
            self.store,
            self.clock,
            log_buffer=self.buffer,
            deadline=deadline,
            on_stop=self.stops.append,
        )

    def after(self, milliseconds: int) -> list[str]:
        """The store's calls of a turn so much later."""
        self.clock.advance(milliseconds)
        self.store.calls.clear()
        self.keeper.turn()
        return list(self.store.calls)


@pytest.fixture
def kept():
    return Kept()


def test_nothing_is_asked_in_the_first_second(kept):
    assert kept.after(999) == []


def test_the_record_is_looked_at_once_a_second_and_renewed_each_tenth(kept):
    assert [kept.after(1000) for _ in range(11)] == [["get"]] * 9 + [["renew"], ["get"]]
    assert kept.store.get("r").lease_until == kept.clock.now() - 1000 + LEASE


def test_text_waits_a_second_for_more_of_it(kept):
    kept.buffer.add({"event": "RunContent"})
    assert kept.after(500) == []
    kept.buffer.add({"event": "RunContent"})
    assert kept.after(500) == ["get", "append"]
    assert [e.index for e in kept.store.read(kept.record, after=-1)] == [0, 1]


def test_anything_but_text_is_logged_at_once_and_the_text_before_it_too(kept):
    kept.buffer.add({"event": "RunContent"})
    kept.buffer.add({"event": "ToolCallStarted"})
    assert kept.after(0) == ["append"]


def test_a_pack_that_could_not_be_written_is_written_later_in_order(kept):
    kept.buffer.add({"event": "RunStarted"})
    kept.store.down = True
    assert kept.after(0) == ["append"]
    kept.store.down = False
    kept.buffer.add({"event": "RunContent"})
    assert "append" in kept.after(1000)
    assert [e.event["event"] for e in kept.store.read(kept.record, after=-1)] == ["RunStarted", "RunContent"]


def test_an_attempt_that_slept_through_its_lease_logs_nothing(kept):
    kept.buffer.add({"event": "RunStarted"})
    later = kept.clock.now() + LEASE + 1
    kept.store.claim("r", executor="other", lease_until=later + LEASE, expired_before=later)
    assert kept.after(LEASE + 1) == ["renew"]
    assert kept.stops == [StopReason.FENCED]


def test_events_that_can_not_be_stored_do_not_end_the_keeper(kept, monkeypatch):
    def refuse(run_id, attempt, pack):
        raise NotStorable("too large")

    kept.buffer.add({"event": "RunStarted"})
    monkeypatch.setattr(kept.store, "append", refuse)
    assert kept.after(0) == []
    monkeypatch.undo()
    kept.buffer.add({"event": "ToolCallStarted"})
    assert kept.after(0) == ["append"]
    assert [e.index for e in kept.store.read(kept.record, after=-1)] == [1]


def test_a_flagged_cancel_stops_the_attempt_once(kept):
    kept.store.flag_cancel("r", now=kept.clock.now())
    kept.after(1000)
    kept.after(1000)
    assert kept.stops == [StopReason.CANCELLED]


def test_an_attempt_that_another_has_taken_over_is_stopped(kept):
    later = kept.clock.now() + LEASE + 1
    kept.store.claim("r", executor="other", lease_until=later + LEASE, expired_before=later)
    kept.after(1000)
    assert kept.stops == [StopReason.FENCED]


def test_an_attempt_that_another_has_taken_over_can_not_renew(kept):
    later = kept.clock.now() + LEASE + 1
    kept.store.claim("r", executor="other", lease_until=later + LEASE, expired_before=later)
    assert kept.after(10_000) == ["renew"]
    assert kept.stops == [StopReason.FENCED]


def test_an_attempt_whose_run_has_ended_is_stopped(kept):
    ending = Ending(replace(kept.record), RunStatus.CANCELLED, kept.clock.now(), "e", RunOutput({}))
    kept.store.commit(ending)
    kept.after(1000)
    assert kept.stops == [StopReason.FENCED]


def test_the_deadline_stops_the_attempt():
    kept = Kept(deadline_in=5_000)
    kept.after(4_999)
    assert kept.stops == []
    kept.after(1)
    assert kept.stops == [StopReason.DEADLINE]


def test_a_store_that_is_down_does_not_stop_the_run(kept):
    kept.store.down = True
    kept.after(1000)
    kept.store.down = False
    assert kept.after(1000) == ["get"]
    assert kept.stops == []


def test_the_thread_wakes_when_nudged_and_writes_nothing_after_its_stop(kept):
    kept.keeper.start()
    kept.buffer.add({"event": "RunStarted"})
    kept.keeper.nudge()
    kept.keeper.stop()
    written = len(kept.store.calls)
    kept.buffer.add({"event": "RunCompleted"})
    kept.keeper.nudge()
    assert len(kept.store.calls) == written


def test_the_last_pack_holds_what_waited_and_the_terminal_events(kept):
    kept.buffer.add({"event": "RunStarted"})
    kept.buffer.take()
    kept.buffer.add({"event": "RunContent"})
    pack, numbered = kept.buffer.finish([{"event": "RunCompleted"}])
    assert pack == EventPack(1, ({"event": "RunContent"}, {"event": "RunCompleted"}))
    assert [e.index for e in numbered] == [2]
    assert kept.buffer.finish([{"event": "RunError"}])[0].events[-1] == {"event": "RunError"}


def test_the_lease_is_held_from_the_moment_before_it_was_asked_for():
    kept = Kept()
    assert kept.keeper.holds_lease()
    kept.after(LEASE - 1)
    assert kept.keeper.holds_lease()
    kept.clock.advance(LEASE - 1)
    assert kept.keeper.holds_lease()
    kept.clock.advance(1)
    assert not kept.keeper.holds_lease()


def test_an_attempt_whose_clock_is_set_back_keeps_its_lease(kept):
    kept.clock.jump(-3_600_000)
    assert [kept.after(1000) for _ in range(10)] == [["get"]] * 9 + [["renew"]]
    assert kept.store.get("r").lease_until == kept.record.lease_until + RENEW_EVERY
    assert kept.keeper.holds_lease()


def test_text_is_logged_in_time_and_a_deadline_kept_though_the_clock_is_set_back():
    kept = Kept(deadline_in=5_000)
    kept.buffer.add({"event": "RunContent"})
    kept.clock.jump(-3_600_000)
    assert kept.after(1000) == ["get", "append"]
    assert not kept.stops
    kept.after(4000)
    assert kept.stops == [StopReason.DEADLINE]


def test_an_attempt_whose_machine_was_frozen_holds_no_lease_and_looks_before_it_logs(kept):
    kept.buffer.add({"event": "RunStarted"})
    kept.clock.jump(LEASE)
    assert not kept.keeper.holds_lease()
    later = kept.clock.now() + LEASE + 1
    kept.store.claim("r", executor="sweeper", lease_until=later + LEASE, expired_before=later)
    assert kept.after(0) == ["renew"]
    assert kept.stops == [StopReason.FENCED]


def test_without_its_store_an_attempt_holds_its_lease_no_longer_than_it_was_given():
    kept = Kept()
    kept.store.down = True
    kept.after(LEASE - 1)
    assert kept.keeper.holds_lease()
    kept.after(1)
    assert not kept.keeper.holds_lease()


def test_a_fenced_attempt_holds_no_lease():
    kept = Kept()
    kept.store.commit(
        Ending(kept.record, RunStatus.CANCELLED, kept.clock.now(), "elsewhere", RunOutput({"status": "CANCELLED"}))
    )
    kept.after(1000)
    assert not kept.keeper.holds_lease()
