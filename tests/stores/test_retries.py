"""How often a request is sent, for how long, and to what end: the only layer that sends anything again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import (
    EndpointConnectionError,
    IncompleteReadError,
    NoCredentialsError,
    ReadTimeoutError,
    SSLError,
)

from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.timing import LEASE_MS, RENEWAL_INTERVAL_MS
from agentos_lambda.stores.clients import CONNECT_SECONDS, READ_SECONDS, Clients
from agentos_lambda.stores.dynamodb import DynamoDBStore
from agentos_lambda.stores.dynamodb.blobs import Blobs
from agentos_lambda.stores.dynamodb.requests import Requests
from agentos_lambda.stores.retries import FIRST_PAUSE_SECONDS, RETRY_WITHIN_MS, TRIES, RequestFailed, Retries
from agentos_lambda.stores.secret import SecretKey
from agentos_lambda.stores.sqs import SqsQueue
from tests.clocks import ManualClock
from tests.cloud import REGION, tables_of
from tests.stores.answers import Answers, answering
from tests.stores.dynamodb.faults import refused

LONGEST_TRY_MS = (CONNECT_SECONDS + READ_SECONDS) * 1000
THROTTLED = refused("ThrottlingException")
SERVER_ERROR = refused("InternalServerError", status=500)
DENIED = refused("AccessDeniedException")


def silence(_call):
    raise ReadTimeoutError(endpoint_url="http://127.0.0.1")


def no_connection(_call):
    raise EndpointConnectionError(endpoint_url="http://127.0.0.1")


def broken_off(_call):
    raise IncompleteReadError(actual_bytes=1, expected_bytes=2)


def broken_tls(_call):
    raise SSLError(endpoint_url="https://127.0.0.1", error="tlsv1 alert internal error")


def no_credentials(_call):
    raise NoCredentialsError


class Aws:
    """Answers with the ``faults`` one after the other, the last one for ever; each takes ``takes`` milliseconds."""

    def __init__(self, clock, *faults, takes=0):
        self._clock, self._faults, self._takes = clock, list(faults), takes
        self.asked_at = []

    def __call__(self):
        self.asked_at.append(self._clock.now())
        self._clock.advance(self._takes)
        fault = self._faults[0] if len(self._faults) == 1 else self._faults.pop(0)
        return fault(lambda: "answer")


def answer(call):
    return call()


@pytest.fixture
def clock():
    return ManualClock(0)


def retries(clock, *, pauses=None, jitter=1.0):
    def sleep(seconds):
        if pauses is not None:
            pauses.append(seconds)
        clock.advance(round(seconds * 1000))

    return Retries(clock, sleep=sleep, jitter=lambda: jitter)


@pytest.mark.parametrize("fault", [THROTTLED, SERVER_ERROR, silence, no_connection, broken_off])
def test_what_may_pass_is_tried_again_until_there_is_an_answer(clock, fault):
    aws = Aws(clock, *[fault] * (TRIES - 1), answer)
    assert retries(clock).send(aws) == "answer"
    assert len(aws.asked_at) == TRIES


@pytest.mark.parametrize("fault", [DENIED, no_credentials, refused("ConditionalCheckFailedException")])
def test_what_will_not_pass_is_not_tried_again(clock, fault):
    aws = Aws(clock, fault)
    with pytest.raises(RequestFailed):
        retries(clock).send(aws)
    assert len(aws.asked_at) == 1


def test_pauses_grow_and_are_random_from_nothing_on(clock):
    longest = [FIRST_PAUSE_SECONDS * 2**place for place in range(TRIES - 1)]
    for jitter in (0.0, 0.5, 1.0):
        pauses: list[float] = []
        with pytest.raises(RequestFailed):
            retries(clock, pauses=pauses, jitter=jitter).send(Aws(clock, THROTTLED))
        assert pauses == pytest.approx([pause * jitter for pause in longest])


@pytest.mark.parametrize("fault", [THROTTLED, SERVER_ERROR, silence])
@pytest.mark.parametrize("takes", [0, 250, 1_000, READ_SECONDS * 1000, LONGEST_TRY_MS])
def test_no_try_begins_after_the_bound_however_long_each_takes(clock, fault, takes):
    aws = Aws(clock, fault, takes=takes)
    with pytest.raises(RequestFailed):
        retries(clock).send(aws)
    assert max(aws.asked_at) <= RETRY_WITHIN_MS
    assert clock.now() <= RETRY_WITHIN_MS + takes


def test_a_request_without_an_answer_is_sent_twice_and_no_more(clock):
    aws = Aws(clock, silence, takes=READ_SECONDS * 1000)
    with pytest.raises(RequestFailed):
        retries(clock).send(aws)
    assert len(aws.asked_at) == 2


def test_the_bound_counts_from_the_first_try_of_each_request(clock):
    layer = retries(clock)
    for _ in range(2):
        aws = Aws(clock, THROTTLED, answer)
        assert layer.send(aws) == "answer"
        assert len(aws.asked_at) == 2
        clock.advance(RETRY_WITHIN_MS)


def test_two_renewals_may_take_as_long_as_they_can_and_fail_before_the_lease_runs_out():
    assert RENEWAL_INTERVAL_MS + 2 * (RETRY_WITHIN_MS + LONGEST_TRY_MS) < LEASE_MS


@pytest.mark.parametrize(
    ("faults", "in_doubt"),
    [
        ([DENIED], False),
        ([THROTTLED, no_connection, DENIED], False),
        ([silence, DENIED], True),
        ([SERVER_ERROR, THROTTLED, DENIED], True),
        ([broken_off], True),
        ([broken_tls, DENIED], True),
    ],
)
def test_a_failure_says_whether_a_try_may_have_been_applied(clock, faults, in_doubt):
    with pytest.raises(RequestFailed) as failed:
        retries(clock).send(Aws(clock, *faults))
    assert failed.value.in_doubt is in_doubt


# On the wire: with the clients as the package makes them, whatever the environment says of botocore's own retries.


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    with answering() as server:
        for name, value in {
            "AWS_ENDPOINT_URL": server.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_MAX_ATTEMPTS": "5",
            "AWS_RETRY_MODE": "adaptive",
        }.items():
            monkeypatch.setenv(name, value)
        yield server


def fail(server: Answers, how: str, *, in_xml: bool) -> None:
    match how:
        case "throttled" if in_xml:
            server.status, server.body = 503, b"<Error><Code>SlowDown</Code></Error>"
        case "throttled":
            server.status, server.body = 400, b'{"__type": "com.amazonaws#ThrottlingException"}'
        case "denied" if in_xml:
            server.status, server.body = 403, b"<Error><Code>AccessDenied</Code></Error>"
        case "denied":
            server.status, server.body = 400, b'{"__type": "com.amazonaws#AccessDeniedException"}'
        case "server error":
            server.status = 500
        case "silence":
            server.silent = True
        case "hung up":
            server.hangs_up = True


@pytest.mark.parametrize("service", ["dynamodb", "s3", "sqs", "secretsmanager"])
@pytest.mark.parametrize(
    ("how", "times"),
    [("throttled", TRIES), ("server error", TRIES), ("silence", TRIES), ("hung up", TRIES), ("denied", 1)],
)
def test_a_request_reaches_aws_as_often_as_this_layer_says(server, service, how, times):
    clients = Clients(read_seconds=0.2 if how == "silence" else READ_SECONDS)
    layer = Retries(ManualClock(), sleep=lambda _seconds: None)
    requests = {
        "dynamodb": lambda: DynamoDBStore(tables_of("1"), clients=clients, retries=layer).get("run-1"),
        "s3": lambda: Blobs("bucket", Requests(clients, layer)).value({"S": "key"}),
        "sqs": lambda: SqsQueue(f"{server.url}/queue", clients=clients, retries=layer).send("run-1"),
        "secretsmanager": SecretKey("arn", ManualClock(), clients=clients, retries=layer),
    }
    fail(server, how, in_xml=service == "s3")
    with pytest.raises(StoreUnavailable):
        requests[service]()
    clients.close()
    assert len(server.received) == times
