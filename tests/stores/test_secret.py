"""The security key as Secrets Manager has it."""

from collections.abc import Iterator

import pytest

from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.retries import Retries
from agentos_lambda.stores.secret import FRESH_MS, MAX_AGE_MS, REREAD_INTERVAL_MS, UNKNOWN_INTERVAL_MS, SecretKey
from tests.clocks import ManualClock
from tests.stores.unreliable_secrets import UnreliableSecrets, unreliable_secrets


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[UnreliableSecrets]:
    with unreliable_secrets(monkeypatch) as made:
        yield made


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def arn(secrets: UnreliableSecrets) -> str:
    return secrets.client.create_secret(Name="key", SecretString="first")["ARN"]


def secret_key(arn, clock, secrets) -> SecretKey:
    return SecretKey(arn, clock, clients=Clients(secretsmanager=secrets), retries=Retries(clock, tries=1))


@pytest.fixture
def key(secrets: UnreliableSecrets, clock: ManualClock, arn: str) -> SecretKey:
    return secret_key(arn, clock, secrets)


def test_the_key_is_read_once_while_it_is_fresh(key, secrets, clock):
    assert key() == "first"
    clock.advance(FRESH_MS - 1)
    assert key() == "first"
    assert secrets.reads == 1


def test_a_rotated_key_counts_after_its_time_and_the_old_one_no_longer(key, secrets, clock, arn):
    assert key() == "first"
    secrets.client.put_secret_value(SecretId=arn, SecretString="second")
    assert key() == "first"
    clock.advance(FRESH_MS)
    assert key() == "second"


def test_nobody_gets_in_while_the_key_was_never_read(key, secrets, clock):
    secrets.reachable = False
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            key()
        clock.advance(FRESH_MS)
    secrets.reachable = True
    assert key() == "first"


def test_no_key_is_valid_for_more_than_five_minutes_after_it_was_read(key, secrets, clock):
    assert MAX_AGE_MS <= 300_000
    assert key() == "first"
    secrets.reachable = False
    clock.advance(MAX_AGE_MS - 1)
    assert key() == "first"
    clock.advance(1)
    with pytest.raises(StoreUnavailable):
        key()


def test_a_key_that_was_read_before_the_environment_was_frozen_is_not_valid_after_it(key, secrets, clock):
    assert key() == "first"
    secrets.reachable = False
    clock.jump(MAX_AGE_MS)
    with pytest.raises(StoreUnavailable):
        key()


def test_a_clock_that_is_set_back_makes_no_key_valid_for_longer(key, secrets, clock, arn):
    assert key() == "first"
    secrets.client.put_secret_value(SecretId=arn, SecretString="second")
    clock.jump(-3_600_000)
    clock.advance(FRESH_MS)
    assert key() == "second"


def test_a_key_that_is_read_again_counts_at_once(key, secrets, clock, arn):
    assert key() == "first"
    secrets.client.put_secret_value(SecretId=arn, SecretString="second")
    clock.advance(REREAD_INTERVAL_MS)
    assert key.reread() == key() == "second"


def test_the_secret_is_read_again_every_thirty_seconds_at_most(key, secrets, clock):
    assert REREAD_INTERVAL_MS >= 30_000
    assert key() == "first"
    for _ in range(600):  # a minute, with ten tries a second
        clock.advance(100)
        assert key.reread() == "first"
    assert secrets.reads == 1 + 60_000 // REREAD_INTERVAL_MS


def test_nor_is_it_read_more_often_while_it_does_not_answer(key, secrets, clock):
    assert key() == "first"
    secrets.reachable = False
    for _ in range(600):
        clock.advance(100)
        assert key.reread() == "first"
    assert secrets.reads == 1 + 60_000 // REREAD_INTERVAL_MS


def test_while_no_key_is_known_the_secret_is_read_every_few_seconds(key, secrets, clock):
    secrets.reachable = False
    for _ in range(100):
        with pytest.raises(StoreUnavailable):
            key()
        clock.advance(100)
    assert secrets.reads == 10_000 // UNKNOWN_INTERVAL_MS


def test_a_secret_that_cannot_be_reached_leaves_the_last_known_key_valid_for_a_while(key, secrets, clock, arn):
    assert key() == "first"
    secrets.reachable = False
    secrets.client.put_secret_value(SecretId=arn, SecretString="second")
    clock.advance(FRESH_MS)
    assert key() == "first"
    secrets.reachable = True
    clock.advance(FRESH_MS)
    assert key() == "second"


def test_a_secret_that_cannot_be_reached_is_not_asked_by_every_request(key, secrets, clock):
    assert key() == "first"
    secrets.reachable = False
    clock.advance(FRESH_MS)
    reads = secrets.reads
    assert [key(), key(), key()] == ["first"] * 3
    assert secrets.reads == reads + 1


@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_an_empty_secret_opens_nothing(secrets, clock, empty):
    arn = secrets.client.create_secret(Name="empty", SecretString="was-set")["ARN"]
    key = secret_key(arn, clock, secrets)
    assert key() == "was-set"
    secrets.get_secret_value = lambda **_: {"SecretString": empty}
    clock.advance(FRESH_MS)
    with pytest.raises(StoreUnavailable):
        key()


def test_white_space_around_the_key_is_no_part_of_it(secrets, clock):
    arn = secrets.client.create_secret(Name="pasted", SecretString="k3y\n")["ARN"]
    assert secret_key(arn, clock, secrets)() == "k3y"


def test_a_secret_that_is_gone_does_not_open_the_api(key, secrets, clock, arn):
    secrets.client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    with pytest.raises(StoreUnavailable):
        key()


def test_a_secret_without_text_opens_nothing(secrets, clock):
    arn = secrets.client.create_secret(Name="binary", SecretBinary=b"\x00")["ARN"]
    with pytest.raises(StoreUnavailable):
        secret_key(arn, clock, secrets)()
