"""The promises under any sequence of steps and faults that hypothesis can think of.

Each example is a story of up to three dozen steps of executors, workers, cancellers, continuers, followers and
sweepers, and of what the network does to their requests. What is promised is checked after each step.
"""

import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.stores.dynamodb import DynamoDBStore
from agentos_lambda.stores.memory import MemoryStore
from agentos_lambda.stores.retries import TRIES
from tests.clocks import ManualClock
from tests.faults.actors import Actors
from tests.faults.injection import Injector
from tests.faults.run_machine import OUTLIVED, RunMachine
from tests.stores.accounts import Aws, empty_moto, ministack_account

pytestmark = pytest.mark.faults


def check_stories(make_actors, *, examples, phases=tuple(Phase), steps=36):
    class Machine(RunMachine):
        def make_actors(self):
            return make_actors()

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=phases,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


def over_memory() -> Actors:
    clock = ManualClock()
    truth = MemoryStore(clock=clock)
    injector = Injector(lambda: StoreUnavailable("The store did not answer."))
    return Actors(injector.around(truth), truth, injector, clock)


def over_dynamodb(aws: Aws, *, tries: int) -> Actors:
    """The faults are those of the client: every single request may meet one, and is sent up to so many times.

    The account is empty: names are the same in every story, so that one that is played again sends the same requests.
    """
    clock = ManualClock()
    injector = Injector(lambda: ReadTimeoutError(endpoint_url="http://127.0.0.1"))

    def store(dynamodb) -> DynamoDBStore:
        return aws.store(clock, tries=tries, events_ttl_seconds=86_400, dynamodb=dynamodb)

    return Actors(store(injector.around(aws.dynamodb)), store(aws.dynamodb), injector, clock)


def over_moto(aws: Aws, *, tries: int) -> Actors:
    empty_moto(aws)
    return over_dynamodb(aws, tries=tries)


def requests_of_a_story(actors: Actors) -> list[str]:
    """What is sent for runs that are all found by one sweep."""
    for _ in range(2):
        actors.enqueue("session", None)
        actors.foreground("session", None, streamed=True)
    for attempt in list(actors.attempts):
        actors.crash(attempt)
    actors.clock.advance(OUTLIVED)
    actors.sweep()
    actors.close()
    return actors.injector.calls


def test_the_promises_hold_over_the_memory_store():
    check_stories(over_memory, examples=250)


@pytest.mark.parametrize(("tries", "examples"), [(1, 6), (TRIES, 3)])
def test_the_promises_hold_over_dynamodb_with_faults_at_its_client(moto_aws, tries, examples):
    check_stories(lambda: over_moto(moto_aws, tries=tries), examples=examples, phases=[Phase.generate])


def test_the_promises_hold_over_the_local_cloud(cloud_url):
    check_stories(lambda: over_dynamodb(ministack_account(cloud_url), tries=1), examples=3, phases=[Phase.generate])


def test_a_story_that_is_played_again_sends_the_same_requests(moto_aws):
    assert requests_of_a_story(over_moto(moto_aws, tries=1)) == requests_of_a_story(over_moto(moto_aws, tries=1))
