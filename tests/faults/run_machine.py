"""Any order of what actors and the network may do. The promises hold after each step."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.timing import DUE_STEP_MS, LEASE_MS, RENEWAL_INTERVAL_MS
from tests.faults.actors import Actors
from tests.faults.injection import Fault

TIMES = (1_000, RENEWAL_INTERVAL_MS)
OUTLIVED = LEASE_MS + DUE_STEP_MS
ENDS = (RunStatus.COMPLETED, RunStatus.COMPLETED, RunStatus.PAUSED, RunStatus.ERROR)
USERS = st.sampled_from((None, "alice", "bob"))


class RunMachine(RuleBasedStateMachine):
    """Subclasses say what the actors stand on."""

    def make_actors(self) -> Actors:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.actors = self.make_actors()
        self.sessions = 0

    def _pick(self, data: st.DataObject, of: list) -> object:
        return of[data.draw(st.integers(0, len(of) - 1))]

    @precondition(lambda self: len(self.actors.run_ids) < 4)
    @rule(streamed=st.booleans(), same_session=st.booleans(), user_id=USERS, durable=st.booleans())
    def foreground(self, streamed: bool, same_session: bool, user_id: str | None, durable: bool) -> None:
        self.actors.foreground(self._session(same_session), user_id, streamed=streamed, durable=durable)

    @precondition(lambda self: len(self.actors.run_ids) < 4)
    @rule(same_session=st.booleans(), user_id=USERS, durable=st.booleans())
    def enqueue(self, same_session: bool, user_id: str | None, durable: bool) -> None:
        self.actors.enqueue(self._session(same_session), user_id, durable=durable)

    @precondition(lambda self: self.actors.world.queue.waiting)
    @rule(twice=st.booleans())
    def deliver(self, twice: bool) -> None:
        self.actors.deliver(keep=twice)

    @precondition(lambda self: self.actors.attempts)
    @rule(data=st.data(), status=st.sampled_from(ENDS))
    def end(self, data: st.DataObject, status: RunStatus) -> None:
        self.actors.end(self._pick(data, self.actors.attempts), status)

    @precondition(lambda self: self.actors.attempts)
    @rule(data=st.data())
    def hand_over(self, data: st.DataObject) -> None:
        self.actors.hand_over(self._pick(data, self.actors.attempts))

    @precondition(lambda self: self._durable())
    @rule(data=st.data())
    def checkpoint(self, data: st.DataObject) -> None:
        self.actors.checkpoint(self._pick(data, self._durable()))

    @precondition(lambda self: self.actors.attempts)
    @rule(data=st.data())
    def tick(self, data: st.DataObject) -> None:
        self.actors.tick(self._pick(data, self.actors.attempts))

    @precondition(lambda self: self.actors.attempts)
    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        self.actors.crash(self._pick(data, self.actors.attempts))

    @precondition(lambda self: self.actors.records())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.actors.cancel(self._pick(data, self.actors.records()).run_id)

    @precondition(lambda self: self._paused())
    @rule(data=st.data(), here=st.booleans())
    def go_on(self, data: st.DataObject, here: bool) -> None:
        run_id = self._pick(data, self._paused())
        if here:
            self.actors.continue_here(run_id)
        else:
            self.actors.enqueue_continuation(run_id)

    @precondition(lambda self: self.actors.records())
    @rule(data=st.data(), anew=st.booleans())
    def read(self, data: st.DataObject, anew: bool) -> None:
        if anew or not self._reading():
            self.actors.begin_to_read(self._pick(data, self.actors.records()).run_id)
        self.actors.read(self._pick(data, self._reading()))

    @rule(milliseconds=st.sampled_from(TIMES))
    def sweep_in_good_time(self, milliseconds: int) -> None:
        self.actors.clock.advance(milliseconds)
        self.actors.sweep()

    @precondition(lambda self: self.actors.records())
    @rule()
    def sweep_after_everybody_stalled(self) -> None:
        self.actors.clock.advance(OUTLIVED)
        self.actors.sweep()

    @rule(fault=st.sampled_from(Fault), after=st.integers(0, 5))
    def arm(self, fault: Fault, after: int) -> None:
        self.actors.injector.arm(fault, after=after)

    @rule()
    def late_writes_arrive(self) -> None:
        self.actors.injector.apply_late()

    @rule(down=st.booleans())
    def queue(self, down: bool) -> None:
        self.actors.world.queue.down = down

    @invariant()
    def promises_hold(self) -> None:
        self.actors.watch.look(self.actors.run_ids)

    def teardown(self) -> None:
        try:
            self.actors.world.queue.down = False
            self.actors.settle()
            for record in self.actors.records():
                assert not record.status.active, "an accepted run has not ended"
                self.actors.watch.one_writer_at_a_time(record)
            self.actors.check_what_was_handed_on()
            self.actors.watch.nothing_executed_twice(run.request for run in self.actors.world.engine.runs)
            self._readers_got_the_log()
        finally:
            self.actors.close()

    def _readers_got_the_log(self) -> None:
        for reader in self.actors.readers:
            while not reader.over:
                self.actors.read(reader)
            log = list(self.actors.truth.read(self.actors.truth.get(reader.run_id), after=-1))
            assert reader.got == log[: len(reader.got)]
            if reader.last is not None and reader.last.final:
                assert reader.got == log

    def _session(self, same: bool) -> str:
        self.sessions += not same
        return f"session-{self.sessions}"

    def _paused(self) -> list[str]:
        return [record.run_id for record in self.actors.records() if record.status is RunStatus.PAUSED]

    def _durable(self) -> list:
        return [attempt for attempt in self.actors.attempts if attempt.durable]

    def _reading(self) -> list:
        return [reader for reader in self.actors.readers if not reader.over]
