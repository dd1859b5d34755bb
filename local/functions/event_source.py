"""Event sources: pollers of queues, and schedules. Each invokes a function."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.account import ACCOUNT_ID, REGION
from local.functions.function import Function
from local.functions.invocation import InvocationFailed
from local.template.queue_names import queue_arn, queue_url
from local.template.triggers import QueueTrigger

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_LONG_POLL_SECONDS = 1
"""The stack's end waits for a poll that is under way, so polls are short."""
_PAUSE_SECONDS = 1.0
"""How long a poller waits after a poll that failed."""
_MOST_MESSAGES = 10
"""How many messages SQS gives in one answer."""

logger = logging.getLogger(__name__)


class QueuePoller:
    """Hands a queue's messages to a function, in as many invocations at once as its trigger allows.

    Processed messages are deleted. A failed one stays in the queue. It is received again after its visibility timeout,
    until the queue moves it to the dead-letter queue.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """

    def __init__(self, trigger: QueueTrigger, function: Function, sqs: SQSClient) -> None:
        self._trigger = trigger
        self._function = function
        self._sqs = sqs
        self._url = queue_url(trigger.queue)
        self._free = asyncio.Semaphore(trigger.at_once)
        self._working: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            while True:
                await self._free.acquire()
                if messages := await self._receive():
                    task = asyncio.create_task(self._work(messages))
                    self._working.add(task)
                    task.add_done_callback(self._worked)
                else:
                    self._free.release()
        finally:
            for task in self._working:
                task.cancel()

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self._free.release()

    async def _receive(self) -> list[MessageTypeDef]:
        try:
            answer = await asyncio.to_thread(
                self._sqs.receive_message,
                QueueUrl=self._url,
                MaxNumberOfMessages=min(self._trigger.batch, _MOST_MESSAGES),
                WaitTimeSeconds=_LONG_POLL_SECONDS,
                MessageSystemAttributeNames=["All"],
            )
        except (BotoCoreError, ClientError) as error:
            logger.warning("the queue %s cannot be polled: %s", self._trigger.queue, error)
            await asyncio.sleep(_PAUSE_SECONDS)
            return []
        messages: list[MessageTypeDef] = answer.get("Messages", [])
        return messages

    async def _work(self, messages: list[MessageTypeDef]) -> None:
        try:
            answer = await self._function.answer({"Records": [self._record(message) for message in messages]})
        except InvocationFailed as failure:
            logger.warning("messages of %s failed and will be received again: %s", self._trigger.queue, failure)
            return
        failed = {item["itemIdentifier"] for item in (answer or {}).get("batchItemFailures", ())}
        for message in messages:
            if message["MessageId"] not in failed:
                await self._delete(message)

    async def _delete(self, message: MessageTypeDef) -> None:
        try:
            await asyncio.to_thread(
                self._sqs.delete_message, QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"]
            )
        except (BotoCoreError, ClientError) as error:
            logger.warning("a message of %s was not deleted and will be received again: %s", self._trigger.queue, error)

    def _record(self, message: MessageTypeDef) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn(self._trigger.queue),
            "awsRegion": REGION,
        }


async def invoke_every(seconds: float, function: Function) -> None:
    """Invoke the function with a scheduled event every so many seconds, never twice at once, until cancelled."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await function.answer(_scheduled_event())
        except InvocationFailed as failure:
            logger.warning("a scheduled invocation failed: %s", failure)


def _scheduled_event() -> dict[str, Any]:
    return {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT_ID,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [],
        "detail": "{}",
    }
