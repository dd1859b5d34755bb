"""A client of AWS whose requests go wrong on order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

Fault = Callable[[Callable[[], Any]], Any]
"""Takes the call that it may make, and answers in its place."""

WRITES = ("put_item", "update_item", "transact_write_items")


class FaultyClient:
    """Passes calls on to a client. A fault that is planned for an operation takes over its next calls."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._faults: dict[str, list[Fault]] = {}
        self.calls: list[str] = []

    def plan(self, fault: Fault, *operations: str, times: int = 1, skip: int = 0) -> None:
        """Let so many calls fail after so many that do not."""
        for operation in operations:
            self._faults[operation] = [fault] * times + [undisturbed] * skip

    def __getattr__(self, operation: str) -> Any:
        method = getattr(self._client, operation)

        def call(**parameters: Any) -> Any:
            self.calls.append(operation)
            faults = self._faults.get(operation)
            if faults:
                return faults.pop()(lambda: method(**parameters))
            return method(**parameters)

        return call


def undisturbed(call: Callable[[], Any]) -> Any:
    """The request is as any other."""
    return call()


def answer_lost(call: Callable[[], Any]) -> Any:
    """The request is applied, if its condition allows it; its answer never comes."""
    with suppress(ClientError):
        call()
    raise ReadTimeoutError(endpoint_url="http://127.0.0.1")


def applied_twice(call: Callable[[], Any]) -> Any:
    """The request is applied, its answer is lost, and it is sent again before the store learns of it."""
    call()
    return call()


def refused(code: str, *, status: int = 400, **response: Any) -> Fault:
    """The request is not applied; AWS answers with an error."""

    def fault(_call: Callable[[], Any]) -> Any:
        error: Any = {
            "Error": {"Code": code, "Message": "arn:aws:dynamodb:us-east-1:1:table/Runs"},
            "ResponseMetadata": {"HTTPStatusCode": status},
            **response,
        }
        raise ClientError(error, "Operation")

    return fault


def cancelled(*codes: str) -> Fault:
    """A transaction is cancelled for these reasons, one for each action."""
    return refused("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


class ShortPages:
    """A client of DynamoDB whose queries read so few items at once: as where each has many KB, and a page 1 MB."""

    def __init__(self, client: Any, items: int) -> None:
        self._client = client
        self._items = items

    def query(self, **request: Any) -> Any:
        return self._client.query(**{**request, "Limit": min(self._items, request.get("Limit", self._items))})

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._client, operation)
