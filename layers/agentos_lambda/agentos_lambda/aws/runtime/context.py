"""What a handler is told about its invocation."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

_TRACE_FIELDS = ("traceparent", "tracestate", "baggage")
"""What W3C's trace context consists of. https://www.w3.org/TR/trace-context/ and https://www.w3.org/TR/baggage/"""


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
    tenant_id: str | None = None
    """The tenant that the environment belongs to, of a function in tenant isolation mode."""
    trace_context: Mapping[str, str] = field(default_factory=dict)
    """What ``w3c`` gives."""

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> InvocationContext:
        """The context that the headers of ``/invocation/next`` and the process's environment describe.

        ``headers``: by their names in small letters.
        """
        return cls(
            aws_request_id=headers["lambda-runtime-aws-request-id"],
            invoked_function_arn=headers.get("lambda-runtime-invoked-function-arn", ""),
            deadline_ms=int(headers["lambda-runtime-deadline-ms"]),
            trace_id=headers.get("lambda-runtime-trace-id"),
            tenant_id=headers.get("lambda-runtime-aws-tenant-id"),
            trace_context=_trace_context(headers.get("lambda-runtime-client-context")),
            **_of_function(),
        )

    def w3c(self) -> dict[str, str]:
        """W3C's trace context, if the caller has sent one: ``traceparent``, ``tracestate``, ``baggage``."""
        return dict(self.trace_context)

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the deadline; 0 when it has passed."""
        return max(0, self.deadline_ms - time.time_ns() // 1_000_000)


@cache
def _of_function() -> Mapping[str, str]:
    """What is the same for each invocation of the process."""
    return {
        "function_name": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
        "function_version": os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
        "memory_limit_in_mb": os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", ""),
        "log_group_name": os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", ""),
        "log_stream_name": os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", ""),
    }


def _trace_context(client_context: str | None) -> dict[str, str]:
    """The texts among its fields, which lie in the client's context. That is the caller's: it may be anything."""
    if not client_context:
        return {}
    try:
        given = json.loads(client_context)
    except ValueError:
        return {}
    fields = given.get("w3c") if isinstance(given, dict) else None
    if not isinstance(fields, dict):
        return {}
    return {name: fields[name] for name in _TRACE_FIELDS if isinstance(fields.get(name), str)}
