import asyncio
import base64
import hashlib
import json
import logging

import pytest
from fastapi import FastAPI, Request, Response, UploadFile
from fastapi.responses import JSONResponse, StreamingResponse

from agentos_lambda.api.scope import deadline_of
from agentos_lambda.aws.event_loop import process_loop
from agentos_lambda.aws.handlers.http import LambdaHandler, UnsupportedEvent
from tests.aws.gateway_events import request_event
from tests.aws.recording_sink import RecordingSink
from tests.clocks import ManualClock

app = FastAPI()


@app.api_route("/agents/json", methods=["GET", "HEAD", "OPTIONS"])
async def as_json() -> dict[str, str]:
    return {"snowman": "\u2603"}


@app.get("/agents/chunks")
async def chunks() -> StreamingResponse:
    return StreamingResponse(iter([b"data: 1\n\n", b"data: 2\n\n"]), media_type="text/event-stream")


@app.get("/agents/cookies")
async def cookies() -> Response:
    response = JSONResponse({}, headers={"x-latin": "caf\u00e9"})
    for name in ("a", "b"):
        response.set_cookie(name, "1")
        response.headers.append("x-many", name)
    return response


@app.get("/agents/status/{status}")
async def status(status: int) -> Response:
    return Response(status_code=status)


@app.get("/agents/binary")
async def binary() -> Response:
    return Response(bytes(range(256)) * 40, media_type="image/png")


@app.get("/agents/not-utf8")
async def not_utf8() -> Response:
    return Response(b"\xff\xfe text", media_type="text/plain")


@app.get("/agents/url/{rest:path}")
async def url(request: Request, rest: str) -> dict[str, object]:
    return {
        "rest": rest,
        "query": request.query_params.multi_items(),
        "root_path": request.scope["root_path"],
        "link": str(request.url_for("as_json")),
    }


@app.post("/agents/upload")
async def upload(file: UploadFile) -> dict[str, object]:
    content = await file.read()
    return {"name": file.filename, "sha256": hashlib.sha256(content).hexdigest()}


@app.get("/agents/deadline")
async def deadline(request: Request) -> dict[str, int | None]:
    return {"deadline": deadline_of(request.scope)}


@app.get("/agents/loop")
async def loop() -> dict[str, int]:
    return {"loop": id(asyncio.get_running_loop())}


CLOCK = ManualClock()


class Context:
    """Of an invocation with half a minute left."""

    aws_request_id = "1"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


handler = LambdaHandler(app, CLOCK)


def buffered(event, context=None):
    answer = handler(event, context)
    json.dumps(answer)
    headers = [(name, value) for name, value in answer["headers"].items()]
    headers += [(name, value) for name, values in answer["multiValueHeaders"].items() for value in values]
    content = answer["body"]
    body = base64.b64decode(content) if answer["isBase64Encoded"] else content.encode()
    return answer["statusCode"], sorted(headers), body


def streamed(event, context=None):
    sink = RecordingSink()
    process_loop().run_until_complete(handler.stream(event, context, sink))
    [prelude] = sink.preludes
    assert sink.finishes == [None]
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in prelude.headers]
    return prelude.status, sorted(headers), sink.body


ways = pytest.mark.parametrize("answer", [buffered, streamed])


@pytest.mark.parametrize(
    "event",
    [
        request_event("/agents/json"),
        request_event("/agents/json", method="HEAD"),
        request_event("/agents/json", method="OPTIONS"),
        request_event("/agents/json", method="DELETE"),
        request_event("/agents/chunks"),
        request_event("/agents/cookies"),
        request_event("/agents/status/204"),
        request_event("/agents/status/304"),
        request_event("/agents/status/418"),
        request_event("/agents/binary"),
        request_event("/agents/not-utf8"),
        request_event("/agents/unknown"),
        request_event("/agents/json/"),
        request_event("/agents/url/a%2Fb?x=1&x=2"),
        request_event("/agents/upload", method="POST"),
    ],
    ids=lambda event: f"{event['httpMethod']} {event['path']}",
)
def test_both_ways_give_the_same_answer(event):
    assert buffered(event) == streamed(event)


@ways
def test_repeated_headers_and_cookies_survive(answer):
    _, headers, _ = answer(request_event("/agents/cookies"))
    assert [value for name, value in headers if name == "x-many"] == ["a", "b"]
    assert [value.partition("=")[0] for name, value in headers if name == "set-cookie"] == ["a", "b"]
    assert ("x-latin", "caf\u00e9") in headers


@ways
def test_a_binary_answer_survives(answer):
    assert answer(request_event("/agents/binary"))[2] == bytes(range(256)) * 40


@ways
def test_a_head_request_has_the_headers_of_get_and_no_body(answer):
    status, headers, body = answer(request_event("/agents/json", method="HEAD"))
    assert (status, body) == (200, b"")
    assert headers == answer(request_event("/agents/json"))[1]


@ways
def test_any_bytes_survive_a_multipart_upload(answer):
    content = bytes(range(256)) * 10 + b"\r\n--not-the-boundary\r\n"
    head = b'--limit\r\nContent-Disposition: form-data; name="file"; filename="\xc3\xa9.bin"\r\n\r\n'
    event = request_event(
        "/agents/upload",
        method="POST",
        headers=[("Content-Type", "multipart/form-data; boundary=limit")],
        body=head + content + b"\r\n--limit--\r\n",
    )
    assert event["isBase64Encoded"]
    assert json.loads(answer(event)[2]) == {
        "name": "\u00e9.bin",
        "sha256": hashlib.sha256(content).hexdigest(),
    }


@ways
@pytest.mark.parametrize(
    ("path", "rest"),
    [
        ("a:b@c", "a:b@c"),
        ("a%3Ab%40c", "a:b@c"),
        ("one%20two%2Fthree", "one two/three"),
        ("%E2%98%83", "\u2603"),
        ("100%2525", "100%25"),
    ],
)
def test_a_path_is_decoded_once(answer, path, rest):
    assert json.loads(answer(request_event(f"/agents/url/{path}"))[2])["rest"] == rest


@ways
def test_the_query_string_keeps_repeated_empty_and_encoded_parameters(answer):
    event = request_event("/agents/url/x?a=1&b=%26%3D%2B&a=2&flag&plus=a+b")
    assert json.loads(answer(event)[2])["query"] == [
        ["a", "1"],
        ["a", "2"],
        ["b", "&=+"],
        ["flag", ""],
        ["plus", "a b"],
    ]


@ways
@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_links_have_the_stage_that_the_client_called(answer, prefix):
    event = request_event("/agents/url/x%20y")
    event["requestContext"]["path"] = prefix + event["path"]
    found = json.loads(answer(event)[2])
    assert (found["rest"], found["root_path"]) == ("x y", prefix)
    assert found["link"].endswith(f"://api.example.com{prefix}/agents/json")


@ways
@pytest.mark.parametrize(
    ("resource", "parameters"),
    [
        ("/agents/{agent_id}/{rest}", {"agent_id": "url", "rest": "x%20y"}),
        ("/agents/{agent_id}/{rest}", {"agent_id": "url", "rest": "x y"}),
        ("/agents/{proxy+}", {"proxy": "url/x%20y"}),
    ],
    ids=["parameters as in the path", "parameters decoded", "greedy"],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_base_path_of_a_custom_domain_is_part_of_links_and_not_of_routes(answer, resource, parameters, slash):
    event = request_event(f"/agents/url/x%20y{slash}")
    base = "/team/os"
    event |= {"resource": resource, "pathParameters": parameters, "path": base + event["path"]}
    event["requestContext"]["path"] = event["path"]
    found = json.loads(answer(event)[2])
    assert (found["rest"], found["root_path"]) == (f"x y{slash}", "/team/os")
    assert found["link"].endswith("://api.example.com/team/os/agents/json")


@ways
def test_a_base_path_that_the_context_does_not_name_is_taken_from_the_path(answer):
    event = request_event("/agents/url/x")
    event["path"] = "/os/agents/url/x"
    event["requestContext"]["path"] = "/agents/url/x"
    found = json.loads(answer(event)[2])
    assert (found["rest"], found["root_path"]) == ("x", "/os")


@ways
def test_a_base_path_that_is_also_a_path_of_the_app_is_told_apart(answer):
    event = request_event("/agents/url/x")
    event["path"] = event["requestContext"]["path"] = "/agents/url/x/agents/url/x"
    found = json.loads(answer(event)[2])
    assert (found["rest"], found["root_path"]) == ("x", "/agents/url/x")


@ways
def test_the_root_of_a_stage_is_served(answer):
    event = request_event("/")
    event["requestContext"]["path"] = "/v1"
    assert answer(event)[0] == 404  # by the app: it has no such route, and there is no error in finding that out


def test_a_path_of_a_resource_in_place_of_a_request_is_no_stage():
    event = request_event("/agents/url/x")
    event["requestContext"]["path"] = "/agents/{proxy+}"  # as `sam local` gives it
    assert json.loads(buffered(event)[2])["root_path"] == ""


@ways
def test_the_app_is_told_to_end_a_run_five_seconds_before_its_function_is_timed_out(answer):
    event = request_event("/agents/deadline")
    assert json.loads(answer(event, Context())[2]) == {"deadline": CLOCK.now() + 25_000}
    assert json.loads(answer(event)[2]) == {"deadline": None}


def test_all_invocations_share_one_event_loop():
    answers = {way(request_event("/agents/loop"))[2] for way in (buffered, streamed, buffered)}
    assert len(answers) == 1


def test_a_loop_run_by_somebody_else_in_between_does_no_harm():
    async def nothing():
        pass

    asyncio.run(nothing())
    assert buffered(request_event("/agents/json"))[0] == 200


def test_a_broken_answer_is_a_500_when_nothing_of_it_was_sent(caplog):
    caplog.set_level(logging.CRITICAL + 1)

    async def breaks_off(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError("secret")

    answer = LambdaHandler(breaks_off)(request_event("/agents/x"), None)
    assert answer["statusCode"] == 500
    assert json.loads(answer["body"]) == {"detail": "Internal server error", "error_code": "INTERNAL_ERROR"}


def test_other_events_go_to_the_fallback():
    assert LambdaHandler(app, fallback=lambda event, _: {"got": event})({"Records": []}, None) == {
        "got": {"Records": []}
    }


@pytest.mark.parametrize(
    "event", [{"Records": []}, [], "text", None, {"requestContext": {"eventType": "CONNECT", "connectionId": "1"}}]
)
def test_other_events_without_a_fallback_are_refused(event):
    assert not handler.streams(event)
    with pytest.raises(UnsupportedEvent):
        handler(event, None)
