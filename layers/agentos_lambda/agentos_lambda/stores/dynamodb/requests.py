"""Sends every request to DynamoDB and S3, and turns the failures that ``retries`` leaves into errors of the package.

answer of AWS                                            becomes
-------------------------------------------------------  -------------------------------------------
a condition failed                                       ``ConditionFailed`` with the item that was there
a transaction was cancelled by conditions                ``TransactionRefused`` with the reasons
a value is too large or malformed                        ``NotStorable``
anything else, or no answer                              ``StoreUnavailable``; logged if waiting will not help
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from agentos_lambda.runs.errors import NotStorable, RunsError, StoreUnavailable
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.failures import codes_of, is_contended, is_outage
from agentos_lambda.stores.retries import RequestFailed, Retries

_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")

_REFUSED_VALUES = frozenset({"ValidationException", "SerializationException", "ValidationError"})


class ConditionFailed(Exception):
    """A conditional write was refused."""

    def __init__(self, item: Mapping[str, Any] | None, *, in_doubt: bool) -> None:
        super().__init__("The condition failed.")
        self.item = item
        """The item that was there; None if there was none."""
        self.in_doubt = in_doubt
        """Whether an earlier try of this write may have been applied, and so made the condition fail."""


class TransactionRefused(Exception):
    """A transaction was cancelled by its conditions. ``reasons`` are in the order of its actions."""

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
    """May be used from any thread."""

    def __init__(self, clients: Clients | None = None, retries: Retries | None = None) -> None:
        self._clients = clients or Clients()
        self._retries = retries or Retries()

    def send(self, request: Callable[[Clients], _Answer]) -> _Answer:
        """Returns what ``request`` returns, and raises what the table above says."""
        try:
            return self._retries.send(lambda: request(self._clients))
        except RequestFailed as failed:
            raise _failure(failed) from failed.error


def _failure(failed: RequestFailed) -> RunsError | ConditionFailed | TransactionRefused:
    error, codes = failed.error, codes_of(failed.error)
    if is_contended(error):
        return StoreUnavailable("The store is busy.")
    if isinstance(error, ClientError):
        if "ConditionalCheckFailedException" in codes:
            item: Any = error.response.get("Item")
            return ConditionFailed(item, in_doubt=failed.in_doubt)
        # Before refused values: an attempt that is over does not need to know about them.
        if "ConditionalCheckFailed" in codes:
            return TransactionRefused(error.response.get("CancellationReasons", ()))
        if not _REFUSED_VALUES.isdisjoint(codes):
            _log.error("%s refused a value: %s", error.operation_name, error)
            return NotStorable("The result is too large to be stored.")
    if not is_outage(error):
        _log.error("A request to the store failed: %s", error)
    return StoreUnavailable("The store did not answer.")
