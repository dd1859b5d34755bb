"""The worker function: SQS messages that each name a run, or tell of a session that is deleted."""

from __future__ import annotations

import logging
from typing import Any

from agentos_lambda.aws.event_loop import process_loop
from agentos_lambda.aws.logs import request_id
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.worker import Worker
from agentos_lambda.sessions.messages import deletion_of
from agentos_lambda.sessions.removal import SessionRemoval

log = logging.getLogger(__name__)

_WORK_MARGIN_MS = 20_000
"""Before the function's own deadline: for a run to end, and its followers to be told."""


class QueueHandler:
    """A Lambda handler of SQS events. A message that could not be worked on is reported, and delivered again.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """

    def __init__(self, worker: Worker, removal: SessionRemoval, clock: Clock) -> None:
        self._worker = worker
        self._removal = removal
        self._clock = clock

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """Work on each message in turn."""
        request_id.take(context)
        failed = [message["messageId"] for message in event["Records"] if not self._work(message["body"], context)]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    def _work(self, message: str, context: Any) -> bool:
        deadline = self._clock.now() + context.get_remaining_time_in_millis() - _WORK_MARGIN_MS
        try:
            deletion = deletion_of(message)
            if deletion is not None:
                self._removal.step(deletion)
            else:
                process_loop().run_until_complete(self._worker.work(message, deadline=deadline))
        except Exception:  # the edge: one message must not take the others with it
            log.exception("the message could not be worked on", extra={"body": message[:512]})
            return False
        return True
