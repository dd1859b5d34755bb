"""The queue of runs on SQS."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from agentos_lambda.runs.errors import StoreUnavailable


class SqsQueue:
    """Implements ``runs.ports.RunQueue``; a message's body is the run id."""

    def __init__(self, url: str, *, client: Callable[[], Any] | None = None) -> None:
        """``client`` makes an SQS client at the first request."""
        self._url = url
        self._make_client = client or _client
        self._client: Any = None
        self._lock = Lock()

    def send(self, run_id: str) -> None:
        self._ask(lambda client: client.send_message(QueueUrl=self._url, MessageBody=run_id))

    def depth(self) -> int:
        names = ["ApproximateNumberOfMessages"]
        answer = self._ask(lambda client: client.get_queue_attributes(QueueUrl=self._url, AttributeNames=names))
        return int(answer["Attributes"][names[0]])

    def _ask(self, request: Callable[[Any], Any]) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - takes long to import

        with self._lock:
            self._client = self._client or self._make_client()
        try:
            return request(self._client)
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailable("The queue does not answer.") from error


def _client() -> Any:
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    config = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"})
    return boto3.client("sqs", config=config)
