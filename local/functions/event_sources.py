"""All event sources of a template: what invokes functions besides the API."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from local.functions.event_source import QueuePoller, invoke_every
from local.functions.function import Function
from local.template.document import Template

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

logger = logging.getLogger(__name__)


@asynccontextmanager
async def event_sources(
    template: Template, functions: Mapping[str, Function], schedule_seconds: float, sqs: SQSClient
) -> AsyncIterator[None]:
    """Poll the queues, and invoke what has a schedule every ``schedule_seconds``, for as long as the context lasts."""
    sources = [QueuePoller(trigger, functions[trigger.function], sqs).run() for trigger in template.queue_triggers] + [
        invoke_every(schedule_seconds, functions[trigger.function]) for trigger in template.schedule_triggers
    ]
    tasks = [asyncio.create_task(source) for source in sources]
    for task in tasks:
        task.add_done_callback(_log_failure)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _log_failure(source: asyncio.Task[None]) -> None:
    if not source.cancelled() and (error := source.exception()):
        logger.error("an event source has ended", exc_info=error)
