"""Every request of the store goes through here: failures become the package's errors, contention is tried again.

answer of AWS                                            becomes
-------------------------------------------------------  -------------------------------------------
a condition failed                                       ``ConditionFailed`` with the item that was there
a transaction was cancelled by conditions                ``TransactionRefused`` with the reasons
a conflict with another transaction, throttling          another try, at last ``StoreUnavailable``
a value is too large or malformed                        ``NotStorable``
no answer, 5xx, anything else                            ``StoreUnavailable``; logged if waiting does not help
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from agentos_lambda.runs.errors import NotStorable, RunsError, StoreUnavailable

_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")

TRIES = 6
_FIRST_PAUSE_SECONDS = 0.05
_SERVER_ERROR = 500

_CONTENTION = frozenset(
    {
        "TransactionConflictException",
        "TransactionInProgressException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "SlowDown",
        # the same as reasons of a cancelled transaction:
        "TransactionConflict",
        "ProvisionedThroughputExceeded",
        "ThrottlingError",
    }
)
_REFUSED_VALUES = frozenset({"ValidationException", "SerializationException", "ValidationError"})


class ConditionFailed(Exception):
    """A conditional write was refused. ``item`` is the one that was there, or None."""

    def __init__(self, item: Mapping[str, Any] | None) -> None:
        super().__init__("The condition failed.")
        self.item = item


class TransactionRefused(Exception):
    """A transaction was cancelled by its conditions. ``reasons`` stand in the order of its actions."""

    def __init__(self, reasons: Sequence[Mapping[str, Any]]) -> None:
        super().__init__("A condition of the transaction failed.")
        self.reasons = reasons

    def failed(self, action: int) -> bool:
        """Whether this action's condition was one of those that failed."""
        return bool(self.reasons[action].get("Code") == "ConditionalCheckFailed")

    def item(self, action: int) -> Mapping[str, Any] | None:
        """The item that was there when this action's condition failed."""
        return self.reasons[action].get("Item")


class Requests:
    """Sends requests. Between two tries it waits by ``sleep`` (seconds), ``jitter`` gives numbers from 0 to 1."""

    def __init__(
        self, sleep: Callable[[float], None] = time.sleep, jitter: Callable[[], float] = random.random
    ) -> None:
        self._sleep = sleep
        self._jitter = jitter

    def send(self, request: Callable[[], _Answer]) -> _Answer:
        """What ``request`` returns; its failures as the table above says."""
        for earlier in range(TRIES):
            if earlier:
                self._sleep(_FIRST_PAUSE_SECONDS * 2 ** (earlier - 1) * (0.5 + self._jitter()))
            try:
                return request()
            except ClientError as error:
                if not _contended(error):
                    raise _failure(error) from error
            except BotoCoreError as error:
                if not isinstance(error, HTTPClientError):
                    _log.exception("A request to the store could not be sent.")
                raise StoreUnavailable("The store did not answer.") from error
        raise StoreUnavailable("The store is busy.")


def _codes(error: ClientError) -> set[str]:
    reasons = error.response.get("CancellationReasons", ())
    return {error.response["Error"]["Code"], *(reason.get("Code", "") for reason in reasons)}


def _contended(error: ClientError) -> bool:
    # A conflict on one item hides what the conditions on the others will say once it is over: the whole is tried again.
    return not _CONTENTION.isdisjoint(_codes(error))


def _failure(error: ClientError) -> RunsError | ConditionFailed | TransactionRefused:
    codes = _codes(error)
    if "ConditionalCheckFailedException" in codes:
        item: Any = error.response.get("Item")
        return ConditionFailed(item)
    # Goes before a value that is refused too: an attempt that is over has no use for the news.
    if "ConditionalCheckFailed" in codes:
        return TransactionRefused(error.response.get("CancellationReasons", ()))
    if not _REFUSED_VALUES.isdisjoint(codes):
        _log.error("%s refused a value: %s", error.operation_name, error)
        return NotStorable("The result is too large to be stored.")
    if error.response["ResponseMetadata"]["HTTPStatusCode"] < _SERVER_ERROR:
        _log.error("%s failed: %s", error.operation_name, error)
    return StoreUnavailable("The store did not answer.")
