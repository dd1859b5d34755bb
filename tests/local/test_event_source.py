"""Functions behind a real queue, and on a schedule."""

import pytest

from local.cloud.session import CloudClients
from local.template.queue_names import queue_url
from tests.waiting import until


@pytest.fixture
def sqs(client):
    endpoint = client.get("/agents/echo/x").json()["variables"]["AWS_ENDPOINT_URL"]
    clients = CloudClients(endpoint)
    yield clients.sqs
    clients.close()


def waiting(sqs, queue: str) -> int:
    """Messages in the queue, including those that are being processed."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = sqs.get_queue_attributes(QueueUrl=queue_url(queue), AttributeNames=names)["Attributes"]
    return sum(int(count) for count in counts.values())


def send(sqs, body: str) -> None:
    sqs.send_message(QueueUrl=queue_url("RunsQueue"), MessageBody=body)


def test_a_message_reaches_the_function_once_and_is_deleted(sqs, signals):
    send(sqs, "once")
    signals.wait("once-done")
    until(lambda: waiting(sqs, "RunsQueue") == 0)
    assert signals.wait("once-1") == "x"


def test_messages_are_processed_at_the_same_time_up_to_the_limit_and_none_is_lost(sqs, signals):
    holds = ("hold-a", "hold-b", "hold-c")
    signals.prepare(*(f"{hold}-go" for hold in holds))
    for hold in holds:
        send(sqs, hold)

    def begun():
        return {hold for hold in holds if list(signals.folder.glob(f"{hold}-[0-9]"))}

    assert len(until(lambda: len(begun()) >= 2 and begun())) == 2
    for hold in sorted(begun()):
        signals.give(f"{hold}-go")
    [last] = until(lambda: len(begun()) == 3 and set(holds) - {h for h in holds if _done(signals, h)})
    signals.give(f"{last}-go")
    until(lambda: waiting(sqs, "RunsQueue") == 0)


def _done(signals, hold: str) -> bool:
    return (signals.folder / f"{hold}-done").exists()


def test_a_message_whose_environment_crashed_is_received_again(sqs, signals):
    send(sqs, "crash")
    signals.wait("crash-2")
    until(lambda: waiting(sqs, "RunsQueue") == 0)


def test_a_message_that_always_fails_ends_in_the_dead_letter_queue(sqs, signals):
    send(sqs, "poison")
    assert until(lambda: (waiting(sqs, "DeadLetterQueue"), waiting(sqs, "RunsQueue")) == (1, 0))
    assert signals.wait("poison-done") == "xx"


def test_a_function_with_a_schedule_is_invoked_repeatedly(stack, signals):
    until(lambda: len(signals.wait("swept")) >= 3)
