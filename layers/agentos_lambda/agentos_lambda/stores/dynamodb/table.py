"""Requests to one table. Expressions write every attribute as ``#its_name``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from typing import TYPE_CHECKING, Any

from agentos_lambda.stores.dynamodb.attributes import Item
from agentos_lambda.stores.dynamodb.requests import Requests

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import QueryOutputTypeDef

WHOLE_PAGES = repeat(None)
"""The limits of a query for everything."""


class Table:
    """Every method may raise ``StoreUnavailable``; one that writes, also ``ConditionFailed`` and ``NotStorable``."""

    def __init__(self, name: str, requests: Requests) -> None:
        self._name = name
        self._requests = requests

    def get(self, key: Item, *attributes: str) -> Mapping[str, Any] | None:
        """The item (or only these ``attributes`` of it), read consistently; None if there is none."""
        projection = ", ".join(f"#{attribute}" for attribute in attributes)
        options: dict[str, Any] = {"ProjectionExpression": projection, **_expressions(projection)} if attributes else {}
        answer = self._requests.send(
            lambda clients: clients.dynamodb.get_item(TableName=self._name, Key=key, ConsistentRead=True, **options)
        )
        return answer.get("Item")

    def put(self, item: Item, condition: str, values: Item | None = None) -> None:
        """Write the whole item."""
        request = {**self.put_action(item), **_conditional(condition, values)}
        self._requests.send(lambda clients: clients.dynamodb.put_item(**request))

    def put_action(self, item: Item) -> dict[str, Any]:
        """An unconditional put, in a transaction's form."""
        return {"TableName": self._name, "Item": item}

    def update(
        self, key: Item, update: str, condition: str, values: Item, aliases: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        """Change the item. Returns it as it is then."""
        request = self.update_action(key, update, condition, values, aliases)
        answer = self._requests.send(lambda clients: clients.dynamodb.update_item(**request, ReturnValues="ALL_NEW"))
        return answer["Attributes"]

    def update_action(
        self, key: Item, update: str, condition: str, values: Item, aliases: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """An update, in a transaction's form. ``aliases`` give attributes that are not written as ``#its_name``."""
        request = {"TableName": self._name, "Key": key, "UpdateExpression": update}
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

    def query(
        self,
        condition: str,
        values: Item,
        *,
        index: str | None = None,
        newest_first: bool = False,
        limits: Iterable[int | None] = WHOLE_PAGES,
    ) -> Iterator[Mapping[str, Any]]:
        """The items in the order of their keys, read consistently unless from an ``index``.

        Each of ``limits`` is a page, requested when its first item is needed: the number of items, or None for as many
        as fit.
        """
        request: dict[str, Any] = {
            "TableName": self._name,
            "KeyConditionExpression": condition,
            "ScanIndexForward": not newest_first,
            **({"ConsistentRead": True} if index is None else {"IndexName": index}),
            **_expressions(condition, values=values),
        }
        start: Item = {}
        for limit in limits:
            answer = self._page({**request, **start, **({} if limit is None else {"Limit": limit})})
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _page(self, request: dict[str, Any]) -> QueryOutputTypeDef:
        return self._requests.send(lambda clients: clients.dynamodb.query(**request))


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
    own = {alias: alias[1:] for expression in expressions for alias in re.findall(r"#\w+", expression)}
    return {
        "ExpressionAttributeNames": {**own, **(aliases or {})},
        # DynamoDB refuses an empty map.
        **({"ExpressionAttributeValues": values} if values else {}),
    }
