"""What a handler is told about its invocation."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from email.message import Message


@dataclass(frozen=True, slots=True)
class InvocationContext:
    """The context of one invocation, under the names that Lambda's own Python runtime gives.

    https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
    """

    aws_request_id: str
    invoked_function_arn: str
    deadline_ms: int
    """When Lambda ends the environment: milliseconds since the epoch."""
    trace_id: str | None
    """The X-Ray trace header."""
    function_name: str
    function_version: str
    memory_limit_in_mb: str
    log_group_name: str
    log_stream_name: str

    @classmethod
    def of(cls, headers: Message) -> InvocationContext:
        """The context that the headers of ``/invocation/next`` and the process's environment describe."""
        return cls(
            aws_request_id=headers["Lambda-Runtime-Aws-Request-Id"],
            invoked_function_arn=headers.get("Lambda-Runtime-Invoked-Function-Arn", ""),
            deadline_ms=int(headers["Lambda-Runtime-Deadline-Ms"]),
            trace_id=headers.get("Lambda-Runtime-Trace-Id"),
            function_name=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            function_version=os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
            memory_limit_in_mb=os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", ""),
            log_group_name=os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", ""),
            log_stream_name=os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", ""),
        )

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the deadline; 0 when it has passed."""
        return max(0, self.deadline_ms - time.time_ns() // 1_000_000)
