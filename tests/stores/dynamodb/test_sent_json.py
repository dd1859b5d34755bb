"""What a client sends that leaves botocore's model of DynamoDB out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from boto3.session import Session
from botocore.config import Config

from agentos_lambda.stores.dynamodb_json import WrittenOnce, send_as_it_is
from tests.cloud import REGION

ITEM = {
    "text": {"S": "é \u2028 \U0001f600"},
    "data": {"B": b"\x00\xff"},
    "map": {"M": {"list": {"L": [{"N": "1"}, {"BOOL": False}, {"NULL": True}]}}},
}
CONDITIONAL: dict[str, Any] = {
    "ConditionExpression": "#a = :b",
    "ExpressionAttributeNames": {"#a": "text"},
    "ExpressionAttributeValues": {":b": {"B": b"\x00"}},
}
KEY = {"id": {"S": "1"}}
REQUESTS: dict[str, dict[str, Any]] = {
    "get_item": {"TableName": "t", "Key": KEY, "ConsistentRead": True},
    "put_item": {"TableName": "t", "Item": ITEM, **CONDITIONAL},
    "update_item": {"TableName": "t", "Key": KEY, "UpdateExpression": "SET #a = :b", **CONDITIONAL},
    "delete_item": {"TableName": "t", "Key": KEY, "ReturnValues": "ALL_OLD"},
    "query": {"TableName": "t", "KeyConditionExpression": "#a = :b", "Limit": 3, "ExclusiveStartKey": KEY},
    "batch_get_item": {"RequestItems": {"t": {"Keys": [KEY], "ConsistentRead": False}}},
    "batch_write_item": {"RequestItems": {"t": [{"PutRequest": {"Item": ITEM}}, {"DeleteRequest": {"Key": KEY}}]}},
    "transact_write_items": {
        "TransactItems": [{"Put": {"TableName": "t", "Item": ITEM}}, {"Update": {"TableName": "t", "Key": KEY}}],
        "ClientRequestToken": "token",
    },
}


class Sent(Exception):
    def __init__(self, request):
        super().__init__()
        signed_with = request.headers["Authorization"].decode().partition("Signature=")[0]
        self.told = (request.method, request.url, request.headers["X-Amz-Target"], signed_with)
        self.parameters = json.loads(request.body)


def client():
    settings = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    made = Session("key", "secret", region_name=REGION).client("dynamodb", config=settings)

    def stop(request, **_):
        raise Sent(request)

    made.meta.events.register("before-send.dynamodb", stop)
    return made


def sent(client, operation, **others):
    with pytest.raises(Sent) as caught:
        getattr(client, operation)(**{**REQUESTS[operation], **others})
    return caught.value


def test_a_request_is_the_one_that_botocore_makes():
    plain, ours = client(), client()
    send_as_it_is(ours)
    for operation in REQUESTS:
        expected, found = sent(plain, operation), sent(ours, operation)
        assert (found.told, found.parameters) == (expected.told, expected.parameters)
    once = WrittenOnce([{"Put": {"TableName": "t", "Item": ITEM}}, {"Update": {"TableName": "t", "Key": KEY}}])
    assert sent(ours, "transact_write_items", TransactItems=once).parameters == found.parameters
    assert sent(ours, "put_item").parameters["Item"]["data"] == {"B": "AP8="}
