"""All event sources of a template at work: what invokes functions besides the API."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from local.cloud.resources import queue_client
from local.functions.event_source import QueuePoller, invoke_every
from local.functions.function import Function
from local.template.document import Template

logger = logging.getLogger(__name__)


@asynccontextmanager
async def event_sources(
    template: Template, functions: Mapping[str, Function], schedule_seconds: float, cloud_url: str
) -> AsyncIterator[None]:
    """Polls the queues, and comes round every ``schedule_seconds``, for as long as the context lasts."""
    sqs = queue_client(cloud_url)
    sources = [QueuePoller(trigger, functions[trigger.function], sqs).run() for trigger in template.queue_triggers] + [
        invoke_every(schedule_seconds, functions[trigger.function]) for trigger in template.schedule_triggers
    ]
    tasks = [asyncio.create_task(source) for source in sources]
    for task in tasks:
        task.add_done_callback(_tell_failure)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _tell_failure(source: asyncio.Task[None]) -> None:
    if not source.cancelled() and (error := source.exception()):
        logger.error("an event source has ended", exc_info=error)
