"""The sample events are what AWS sends to the functions of this template. Those of the WebSocket: test_websocket.py."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from typing import Any

import pytest
from fastapi import FastAPI, Request
from mangum import Mangum
from starlette.datastructures import UploadFile

from tests.stack.translation import HTTP_FUNCTIONS, ROOT, source

NAMES = ("config", "control", "follow", "agents", "teams", "workflows")
"""Events of the HTTP API."""
FROM_QUEUES = {"worker": "WorkerFunction"}

# Addresses and an account that stand for nobody (RFC 5737; the account of AWS's own documentation).
ADDRESS = "203.0.113."
ACCOUNT = "123456789012"


def load(name: str) -> dict[str, Any]:
    return json.loads((ROOT / "events" / f"{name}.json").read_text())


async def _echo(request: Request) -> dict[str, Any]:
    """What an app sees of the request."""
    seen: dict[str, Any] = {"method": request.method, "path": request.url.path}
    if "json" in request.headers.get("content-type", ""):
        return seen | {"json": await request.json()}
    async with request.form() as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                content = await value.read()
                seen[name] = [value.filename, value.content_type, hashlib.sha256(content).hexdigest()]
            else:
                seen[name] = value
    return seen


def answer(name: str) -> dict[str, Any]:
    app = FastAPI()
    app.add_api_route("/{path:path}", _echo, methods=["GET", "POST"])
    loop = asyncio.new_event_loop()  # Mangum would leave one of its own open
    asyncio.set_event_loop(loop)
    try:
        response = Mangum(app, lifespan="off")(load(name), object())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    assert response["statusCode"] == 200
    return json.loads(response["body"])


def test_there_is_an_event_for_each_function_of_the_api() -> None:
    assert {f"{name.capitalize()}Function" for name in NAMES} == set(HTTP_FUNCTIONS)


@pytest.mark.parametrize("name", NAMES)
def test_an_event_matches_a_route_of_its_function(name: str) -> None:
    event = load(name)
    api = source()["Resources"]["Api"]["Properties"]
    operation = api["DefinitionBody"]["paths"][event["resource"]][event["httpMethod"].lower()]
    assert f"{name.capitalize()}Function" in json.dumps(operation)
    assert event["path"] == event["resource"].format(**event["pathParameters"] or {})
    context = event["requestContext"]
    assert (context["stage"], context["path"]) == (api["StageName"], f"/{api['StageName']}{event['path']}")
    assert (context["resourcePath"], context["httpMethod"]) == (event["resource"], event["httpMethod"])


@pytest.mark.parametrize("name", NAMES)
def test_an_event_has_its_headers_twice_with_one_value_and_with_many(name: str) -> None:
    event = load(name)
    assert event["multiValueHeaders"] == {header: [value] for header, value in event["headers"].items()}
    assert event["headers"]["Host"] == event["requestContext"]["domainName"]


@pytest.mark.parametrize("name", NAMES)
def test_an_event_names_nobody(name: str) -> None:
    context = load(name)["requestContext"]
    assert context["accountId"] == ACCOUNT
    assert context["identity"]["sourceIp"].startswith(ADDRESS)


@pytest.mark.parametrize("name", NAMES)
def test_a_body_is_base64_only_if_its_type_is_among_the_binary_ones(name: str) -> None:
    event = load(name)
    binary = source()["Resources"]["Api"]["Properties"]["DefinitionBody"]["x-amazon-apigateway-binary-media-types"]
    assert event["isBase64Encoded"] == (event["headers"].get("Content-Type", "").split(";")[0] in binary)


@pytest.mark.parametrize(("name", "function"), FROM_QUEUES.items())
def test_an_event_of_a_queue_is_a_batch_of_the_size_that_its_function_takes(name: str, function: str) -> None:
    [trigger] = source()["Resources"][function]["Properties"]["Events"].values()
    records = load(name)["Records"]
    assert len(records) == trigger["Properties"]["BatchSize"]
    for record in records:
        assert record["eventSource"] == "aws:sqs"
        assert record["eventSourceARN"].split(":")[3:5] == [record["awsRegion"], ACCOUNT]
        assert record["md5OfBody"] == hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()


def test_the_sweepers_event_is_of_its_schedule() -> None:
    event = load("sweeper")
    [rule] = event["resources"]
    assert (event["source"], event["account"]) == ("aws.events", ACCOUNT)
    assert "SweeperFunctionEveryMinute" in rule


def test_the_config_event_asks_for_the_config() -> None:
    assert answer("config") == {"method": "GET", "path": "/config"}


def test_the_control_event_asks_for_an_agent() -> None:
    assert answer("control") == {"method": "GET", "path": "/agents/assistant"}


def test_the_follow_event_names_the_last_event_that_the_client_has() -> None:
    resume = {"method": "POST", "path": "/workflows/letter/runs/run-1/resume"}
    assert answer("follow") == resume | {"last_event_index": "4"}


def test_the_agent_event_carries_a_form_with_a_file() -> None:
    seen = answer("agents")
    sent = base64.b64decode(load("agents")["body"])
    assert (seen["method"], seen["path"]) == ("POST", "/agents/assistant/runs")
    assert (seen["message"], seen["stream"]) == ("Hello! What is in these notes?", "false")
    notes = "Buy oat milk \u2013 not almond.\n".encode()
    assert notes in sent
    assert seen["files"] == ["notes.txt", "text/plain", hashlib.sha256(notes).hexdigest()]


def test_the_team_event_carries_json() -> None:
    seen = answer("teams")
    assert (seen["method"], seen["path"]) == ("POST", "/teams/newsroom/runs")
    assert seen["json"]["stream"] is False


def test_the_workflow_event_carries_a_form_and_wants_a_stream() -> None:
    seen = answer("workflows")
    assert (seen["method"], seen["path"]) == ("POST", "/workflows/letter/runs")
    assert (seen["message"], seen["stream"]) == ("a letter to the editor", "true")
