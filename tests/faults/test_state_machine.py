"""The promises under any sequence of steps and faults that hypothesis can think of."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.stores.memory import MemoryStore
from tests.clocks import ManualClock
from tests.faults.actors import Actors
from tests.faults.hand_driven import drive_keepers_by_hand
from tests.faults.injection import Injector
from tests.faults.run_machine import RunMachine


@pytest.fixture(autouse=True)
def keepers(monkeypatch):
    drive_keepers_by_hand(monkeypatch)


def of_any_order(machine, *, examples, steps):
    few_health_checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=few_health_checks,
            database=None,
            report_multiple_bugs=False,
        ),
    )


def test_promises_hold_over_the_memory_store_in_any_order_of_steps_and_faults():
    class OverMemory(RunMachine):
        def make_actors(self):
            clock = ManualClock()
            truth = MemoryStore(clock=clock)
            injector = Injector(lambda: StoreUnavailable("The store did not answer."))
            return Actors(injector.around(truth), truth, injector, clock)

    of_any_order(OverMemory, examples=120, steps=40)
