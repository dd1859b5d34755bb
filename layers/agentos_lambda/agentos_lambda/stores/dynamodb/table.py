"""Requests to one table. Expressions write every attribute as ``#its_name``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any

from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.stores.dynamodb.attributes import Item
from agentos_lambda.stores.dynamodb.requests import Requests

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import (
        BatchGetItemOutputTypeDef,
        BatchWriteItemOutputTypeDef,
        QueryOutputTypeDef,
    )

WHOLE_PAGES = repeat(None)
"""The limits of a query for everything."""

_BATCH = 100
"""Items that one request may ask for."""
_DELETED_BATCH = 25
"""Items that one request may delete."""
_REMEMBERED = 256
"""Expressions whose names are remembered: most are the same in every request of their kind."""
_PARTIAL_ANSWERS = 8
"""How many requests may be answered in part only, besides those that are needed anyway."""


class Table:
    """Every method may raise ``StoreUnavailable``; one that writes, also ``ConditionFailed`` and ``NotStorable``."""

    def __init__(self, name: str, requests: Requests) -> None:
        self._name = name
        self._requests = requests

    def get(self, key: Item, *attributes: str) -> Mapping[str, Any] | None:
        """The item (or only these ``attributes`` of it), read consistently; None if there is none."""
        if _is_of_nothing(key):
            return None
        projection = ", ".join(f"#{attribute}" for attribute in attributes)
        options: dict[str, Any] = {"ProjectionExpression": projection, **_expressions(projection)} if attributes else {}
        answer = self._requests.send(
            lambda clients: clients.dynamodb.get_item(TableName=self._name, Key=key, ConsistentRead=True, **options)
        )
        return answer.get("Item")

    def get_many(self, keys: Sequence[Item], *, consistent: bool = True) -> list[Mapping[str, Any]]:
        """The items that there are of these, in any order."""
        found: list[Mapping[str, Any]] = []
        waiting = list(keys)
        for _ in range(len(keys) // _BATCH + _PARTIAL_ANSWERS):
            if not waiting:
                return found
            answer: Any = self._batch_get({self._name: {"Keys": waiting[:_BATCH], "ConsistentRead": consistent}})
            found += answer["Responses"].get(self._name, ())
            # What does not fit into 16 MB, or what DynamoDB has no time for now.
            waiting = [*answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", ()), *waiting[_BATCH:]]
        if waiting:
            raise StoreUnavailable("The store is busy.")
        return found

    def put(self, item: Item, condition: str, values: Item | None = None) -> None:
        """Write the whole item."""
        request = self.put_action(item, condition, values)
        self._requests.send(lambda clients: clients.dynamodb.put_item(**request))

    def put_action(self, item: Item, condition: str | None = None, values: Item | None = None) -> dict[str, Any]:
        """A put, in a transaction's form."""
        conditional = {} if condition is None else _conditional(condition, values)
        return {"TableName": self._name, "Item": item, **conditional}

    def update(
        self, key: Item, update: str, condition: str, values: Item, aliases: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        """Change the item. Returns it as it is then."""
        return self.send_update(self.update_action(key, update, condition, values, aliases))

    def send_update(self, action: dict[str, Any]) -> Mapping[str, Any]:
        """Make the update that ``update_action`` gave. Returns the item as it is then."""
        answer = self._requests.send(lambda clients: clients.dynamodb.update_item(**action, ReturnValues="ALL_NEW"))
        return answer["Attributes"]

    def update_action(
        self, key: Item, update: str, condition: str | None, values: Item, aliases: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """An update, in a transaction's form. ``aliases`` give attributes that are not written as ``#its_name``."""
        request = {"TableName": self._name, "Key": key, "UpdateExpression": update}
        if condition is None:
            return {**request, **_expressions(update, values=values, aliases=aliases)}
        return {**request, **_conditional(condition, values, update, aliases=aliases)}

    def delete(self, key: Item, condition: str | None = None, values: Item | None = None) -> Mapping[str, Any] | None:
        """Delete the item. Returns it as it was; None if there was none."""
        options = {} if condition is None else _conditional(condition, values)
        answer = self._requests.send(
            lambda clients: clients.dynamodb.delete_item(
                TableName=self._name, Key=key, ReturnValues="ALL_OLD", **options
            )
        )
        return answer.get("Attributes") or None

    def delete_action(self, key: Item, condition: str, values: Item | None = None) -> dict[str, Any]:
        """A conditional deletion, in a transaction's form."""
        return {"TableName": self._name, "Key": key, **_conditional(condition, values)}

    def delete_many(self, keys: Iterable[Item]) -> None:
        """Delete these items, those that there are."""
        waiting: list[Any] = [{"DeleteRequest": {"Key": key}} for key in keys]
        for _ in range(len(waiting) // _DELETED_BATCH + _PARTIAL_ANSWERS):
            if not waiting:
                return
            answer: Any = self._batch_write({self._name: waiting[:_DELETED_BATCH]})
            waiting = [*answer.get("UnprocessedItems", {}).get(self._name, ()), *waiting[_DELETED_BATCH:]]
        if waiting:
            raise StoreUnavailable("The store is busy.")

    def query(
        self,
        condition: str,
        values: Item,
        *,
        index: str | None = None,
        newest_first: bool = False,
        limits: Iterable[int | None] = WHOLE_PAGES,
        attributes: Sequence[str] = (),
    ) -> Iterator[Mapping[str, Any]]:
        """The items (or only these ``attributes`` of them) in the order of their keys, read consistently unless from an
        ``index``.

        Each of ``limits`` is a page, requested when its first item is needed: the number of items, or None for as many
        as fit.
        """
        if _is_of_nothing(values):
            return
        request: dict[str, Any] = {
            "TableName": self._name,
            "KeyConditionExpression": condition,
            "ScanIndexForward": not newest_first,
            **({"ConsistentRead": True} if index is None else {"IndexName": index}),
        }
        projection = ", ".join(f"#{attribute}" for attribute in attributes)
        request |= {"ProjectionExpression": projection} if attributes else {}
        request |= _expressions(condition, projection, values=values)
        start: Item = {}
        for limit in limits:
            answer = self._page({**request, **start, **({} if limit is None else {"Limit": limit})})
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def first(
        self,
        count: int,
        condition: str,
        values: Item,
        *,
        index: str | None = None,
        newest_first: bool = False,
        attributes: Sequence[str] = (),
    ) -> Iterator[Mapping[str, Any]]:
        """The first so many items of a query, however few of them DynamoDB reads at once: a page ends with 1 MB."""
        found = self.query(
            condition, values, index=index, newest_first=newest_first, limits=repeat(count), attributes=attributes
        )
        return islice(found, count)

    def _batch_get(self, wanted: Any) -> BatchGetItemOutputTypeDef:
        return self._requests.send(lambda clients: clients.dynamodb.batch_get_item(RequestItems=wanted))

    def _batch_write(self, wanted: Any) -> BatchWriteItemOutputTypeDef:
        return self._requests.send(lambda clients: clients.dynamodb.batch_write_item(RequestItems=wanted))

    def _page(self, request: dict[str, Any]) -> QueryOutputTypeDef:
        return self._requests.send(lambda clients: clients.dynamodb.query(**request))


def _is_of_nothing(keys: Item) -> bool:
    """Whether one of these parts of keys is an empty text: no item has one, and DynamoDB refuses the question."""
    return {"S": ""} in keys.values()


def _conditional(
    condition: str, values: Item | None, *expressions: str, aliases: Mapping[str, str] | None = None
) -> dict[str, Any]:
    return {
        "ConditionExpression": condition,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        **_expressions(condition, *expressions, values=values, aliases=aliases),
    }


def _expressions(
    *expressions: str, values: Item | None = None, aliases: Mapping[str, str] | None = None
) -> dict[str, Any]:
    # Many names of attributes are reserved words, so all of them are aliased.
    own: dict[str, str] = {}
    for expression in expressions:
        own |= _names(expression)
    return {
        "ExpressionAttributeNames": {**own, **(aliases or {})},
        # DynamoDB refuses an empty map.
        **({"ExpressionAttributeValues": values} if values else {}),
    }


@lru_cache(_REMEMBERED)
def _names(expression: str) -> Mapping[str, str]:
    return {alias: alias[1:] for alias in re.findall(r"#\w+", expression)}
