"""The queue on SQS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.sessions.messages import deletion_message
from agentos_lambda.sessions.model import Deletion
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.retries import RequestFailed, Retries

_DEPTH: Final = "ApproximateNumberOfMessages"

_Answer = TypeVar("_Answer")


class SqsQueue:
    """Implements ``runs.ports.RunQueue`` and ``sessions.ports.DeletionQueue``.

    A message's body is the id of a run, or ``deletion_message``.

    It delivers at least once: a message is sent again if the answer is lost.
    """

    def __init__(self, url: str, *, clients: Clients | None = None, retries: Retries | None = None) -> None:
        """Without ``clients``, they are made from the environment."""
        self._url = url
        self._clients = clients or Clients()
        self._retries = retries or Retries()

    def send(self, run_id: str) -> None:
        self._ask(lambda: self._clients.sqs.send_message(QueueUrl=self._url, MessageBody=run_id))

    def send_deletion(self, deletion: Deletion, *, delay_seconds: int = 0) -> None:
        body = deletion_message(deletion)
        self._ask(
            lambda: self._clients.sqs.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=delay_seconds)
        )

    def depth(self) -> int:
        answer = self._ask(lambda: self._clients.sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=[_DEPTH]))
        return int(answer["Attributes"][_DEPTH])

    def _ask(self, request: Callable[[], _Answer]) -> _Answer:
        try:
            return self._retries.send(request)
        except RequestFailed as failed:
            raise StoreUnavailable("The queue does not answer.") from failed.error
