"""Classifies botocore's errors. This module imports botocore, which is slow: import it with the first request."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ProxyConnectionError,
)

ERRORS = (BotoCoreError, ClientError)
"""Everything that a client raises."""

_CONTENTION = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
        # the same as reasons of a cancelled transaction:
        "ProvisionedThroughputExceeded",
        "ThrottlingError",
        "TransactionConflict",
    }
)
_TOO_MANY_REQUESTS = 429
_UPLOAD_BROKE_OFF = "RequestTimeout"
"""S3's code for a body that did not arrive in time."""
_SERVER_ERRORS = frozenset({500, 502, 503, 504})


def is_contended(error: Exception) -> bool:
    """Whether AWS refused the request because of other requests at the same time. It was not applied."""
    # A conflict on one item hides what the conditions on the others will say: the whole transaction is tried again.
    return not _CONTENTION.isdisjoint(codes_of(error)) or status_of(error) == _TOO_MANY_REQUESTS


def is_outage(error: Exception) -> bool:
    """Whether AWS could not be reached, did not answer in time, broke off its answer, or reported its own failure."""
    if isinstance(error, ConnectionError | HTTPClientError | IncompleteReadError):
        return True
    return status_of(error) in _SERVER_ERRORS or _UPLOAD_BROKE_OFF in codes_of(error)


def may_be_applied(error: Exception) -> bool:
    """Whether AWS may have applied the request without confirming it."""
    # Not every ``ConnectionError``: TLS may break while the answer is awaited.
    was_sent = not isinstance(error, EndpointConnectionError | ConnectTimeoutError | ProxyConnectionError)
    return was_sent and is_outage(error) and not is_contended(error)


def codes_of(error: Exception) -> set[str]:
    """The codes in AWS's answer, including the reasons of a cancelled transaction; empty if there is no answer."""
    if not isinstance(error, ClientError):
        return set()
    reasons = error.response.get("CancellationReasons", ())
    return {error.response["Error"]["Code"], *(reason.get("Code", "") for reason in reasons)}


def status_of(error: Exception) -> int | None:
    """The HTTP status of AWS's answer; None if there is no answer."""
    return error.response["ResponseMetadata"]["HTTPStatusCode"] if isinstance(error, ClientError) else None
