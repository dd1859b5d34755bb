"""What is read in several pages, since DynamoDB ends a page with 1 MB of items, however many were asked for."""

from dataclasses import replace

import pytest

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.model import Session
from agentos_lambda.sessions.model import SessionFilter
from tests.stores.builders import NOW, ending, running
from tests.stores.dynamodb.faults import ShortPages


@pytest.fixture
def store(aws):
    return aws.store(dynamodb=ShortPages(aws.dynamodb, 2))


def test_a_list_of_sessions_goes_on_behind_a_page(store):
    """All of these are in one partition of each index."""
    ids = [f"session-{place}" for place in (0, 2, 9, 10, 12)]
    first = Session(ids[0], Kind.AGENT, "writer", "ada", NOW, NOW, {}, name="Talk")
    for later, session_id in enumerate(ids):
        store.create(replace(first, session_id=session_id, created_at=NOW + later))
    for chosen in (SessionFilter(), SessionFilter(component_id="writer"), SessionFilter(user_id="ada")):
        assert [entry.session_id for entry in store.entries(chosen, limit=9, ascending=True)] == ids
        assert [entry.session_id for entry in store.entries(chosen, limit=4)] == ids[:0:-1]


def test_a_step_of_a_deletion_finds_all_runs_that_it_asks_for(store):
    for place in range(5):
        record = store.accept(running(f"run-{place}", accepted_at=NOW + place))
        store.commit(ending(record, RunStatus.COMPLETED))
    found = [run.run_id for run in store.buried_runs("session-1", until=NOW + 9, limit=4)]
    assert found == ["run-0", "run-1", "run-2", "run-3"]
    assert len(store.buried_runs("session-1", until=NOW + 9, limit=9)) == 5
