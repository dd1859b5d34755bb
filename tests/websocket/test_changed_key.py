"""The security key is changed while connections are open and the functions are warm."""

import pytest

from agentos_lambda.stores.secret import MAX_AGE_MS, REREAD_INTERVAL_MS
from tests.stores.changing_secret import ChangingSecret
from tests.websocket.world import World

FIVE_MINUTES = 300_000


class Environments:
    """Two environments of the websocket function, over one set of stores."""

    def __init__(self) -> None:
        self.world = World()
        self.secret = ChangingSecret("old")
        self.handlers = [self.world.environment(self.secret.environment(self.world.clock)) for _ in range(2)]

    def connect(self, connection_id="c-1"):
        self.use(0)
        self.world.connect(connection_id)

    def use(self, environment):
        self.world.handler = self.handlers[environment]

    def ask(self, environment, *, connection_id="c-1", **message):
        self.use(environment)
        self.world.send(message, connection_id)
        return self.world.posts.names(connection_id)[-1]

    def authenticate(self, environment, token, connection_id="c-1"):
        return self.ask(environment, connection_id=connection_id, action="authenticate", token=token)

    def ping(self, environment, connection_id="c-1"):
        return self.ask(environment, connection_id=connection_id, action="ping")


@pytest.fixture
def warm():
    """Both environments know the old key, with which a connection has authenticated."""
    environments = Environments()
    environments.connect()
    assert environments.authenticate(0, "old") == "authenticated"
    assert [environments.ping(each) for each in (0, 1)] == ["pong", "pong"]
    environments.world.clock.advance(REREAD_INTERVAL_MS)
    environments.secret.text = "new"
    yield environments
    environments.world.pool.shutdown()


def test_a_new_key_works_at_once(warm):
    warm.connect("c-2")
    assert warm.authenticate(0, "new", "c-2") == "authenticated"
    assert warm.ping(0, "c-2") == "pong"


def test_a_connection_that_has_presented_the_new_key_is_known_where_only_the_old_one_was(warm):
    warm.connect("c-2")
    warm.authenticate(0, "new", "c-2")
    assert warm.ping(1, "c-2") == "pong"


def test_an_old_key_is_refused_everywhere_within_five_minutes(warm):
    warm.connect("c-2")
    warm.world.clock.advance(FIVE_MINUTES)
    assert [warm.authenticate(each, "old", "c-2") for each in (0, 1)] == ["auth_error", "auth_error"]
    assert MAX_AGE_MS <= FIVE_MINUTES


def test_a_connection_loses_its_authority_with_its_key_within_five_minutes(warm):
    warm.world.clock.advance(FIVE_MINUTES)
    assert [warm.ping(each) for each in (0, 1)] == ["auth_required", "auth_required"]


def test_it_loses_its_authority_at_once_where_the_new_key_was_presented(warm):
    warm.connect("c-2")
    warm.authenticate(1, "new", "c-2")
    assert warm.ping(1) == "auth_required"


def test_a_connection_whose_key_was_changed_may_present_the_new_one(warm):
    warm.world.clock.advance(FIVE_MINUTES)
    warm.ping(0)
    assert warm.authenticate(0, "new") == "authenticated"
    assert warm.ping(1) == "pong"


def test_wrong_keys_make_an_environment_read_the_secret_every_thirty_seconds_at_most(warm):
    warm.connect("c-2")
    reads = warm.secret.reads
    for guess in range(600):
        warm.world.clock.advance(100)
        assert warm.authenticate(0, f"guess-{guess}", "c-2") == "auth_error"
        assert warm.ping(0) == "auth_required"
    assert warm.secret.reads - reads == 2


def test_what_a_connection_stores_is_not_the_key_and_opens_no_other(warm):
    grant = warm.world.connections.get("c-1").grant
    assert "old" not in repr(grant)
    warm.secret.text = "old"
    warm.connect("c-2")
    warm.world.connections.authenticate("c-2", grant=grant, now=0)
    assert warm.ping(0, "c-2") == "auth_required"


def test_a_token_that_is_no_text_of_unicode_is_wrong(warm):
    assert warm.authenticate(0, "\ud800") in {"auth_error", "error"}
