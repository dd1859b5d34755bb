"""The runtime as a process, and every byte that it sends to the Runtime API."""

import base64
import json
import os
import re
import signal
import socket

import pytest

from tests.aws.gateway_events import request_event
from tests.aws.runtime_api_double import RuntimeApiDouble
from tests.aws.runtime_process import runtime


@pytest.fixture
def api():
    with RuntimeApiDouble().running() as double:
        yield double


@pytest.fixture
def streaming(api, tmp_path):
    os.mkfifo(tmp_path / "go-on")
    with runtime(api.address, GO_ON=str(tmp_path / "go-on")):
        yield api


@pytest.fixture(scope="module")
def plain():
    """One runtime for what leaves nothing behind."""
    with RuntimeApiDouble().running() as double, runtime(double.address):
        yield double


def test_an_answer_arrives_while_the_app_still_makes_it(streaming, tmp_path):
    streaming.send(request_event("/wait"), **{"Lambda-Runtime-Invocation-Id": "echo-me"})
    answer = streaming.answer()
    assert answer.path == "/2018-06-01/runtime/invocation/request-1/response"
    assert answer.headers["lambda-runtime-function-response-mode"] == "streaming"
    assert answer.headers["content-type"] == "application/vnd.awslambda.http-integration-response"
    assert answer.headers["lambda-runtime-invocation-id"] == "echo-me"
    assert json.loads(answer.chunk()) == {
        "statusCode": 200,
        "headers": {"content-type": "text/plain"},
        "multiValueHeaders": {},
        "cookies": ["a=1"],
    }
    assert answer.chunk() == b"\0" * 8
    assert answer.chunk() == b"first"
    (tmp_path / "go-on").write_bytes(b"")  # only now can the app make its last piece
    assert answer.chunk() == b"last"
    assert answer.chunk() is None
    assert answer.trailers == {}


def test_a_large_answer_is_whole(plain):
    plain.send(request_event("/large"))
    assert plain.answer().body().partition(b"\0" * 8)[2] == b"x" * 20_000_000 + b"firstlast"


def test_an_answer_that_breaks_off_ends_with_the_error_in_trailers(plain):
    plain.send(request_event("/break"))
    answer = plain.answer()
    assert answer.body().endswith(b"first")
    assert answer.trailers["lambda-runtime-function-error-type"] == "RuntimeError"
    error = json.loads(base64.b64decode(answer.trailers["lambda-runtime-function-error-body"]))
    assert error == {"errorType": "RuntimeError", "errorMessage": "after the first byte", "stackTrace": []}


def test_an_error_before_the_first_byte_is_a_whole_answer(plain):
    plain.send(request_event("/raise"))
    answer = plain.answer()
    prelude, _, body = answer.body().partition(b"\0" * 8)
    assert json.loads(prelude)["statusCode"] == 500
    assert json.loads(body)["error_code"] == "INTERNAL_ERROR"
    assert answer.trailers == {}


def test_an_event_that_is_no_valid_request_is_reported_as_an_error(plain):
    event = request_event("/")
    event["multiValueHeaders"]["Host"] = ["not:a:host"]
    plain.send(event)
    assert plain.answer().path.endswith("/request-1/error")


def test_other_events_are_answered_with_json(plain):
    plain.send({"Records": []}, request_id="request-2")
    answer = plain.answer()
    assert answer.path == "/2018-06-01/runtime/invocation/request-2/response"
    assert "lambda-runtime-function-response-mode" not in answer.headers
    assert json.loads(answer.body()) == {"got": {"Records": []}}


def test_the_context_has_deadline_and_trace(plain):
    plain.send("context", **{"Lambda-Runtime-Trace-Id": "Root=1-2-3", "Lambda-Runtime-Invoked-Function-Arn": "arn:x"})
    context = json.loads(plain.answer().body())
    assert 50_000 < context.pop("remaining") <= 60_000
    trace = ["Root=1-2-3", "Root=1-2-3"]
    assert context == {"id": "request-1", "arn": "arn:x", "trace": trace, "tenant": None, "w3c": {}}


def test_the_context_has_the_tenant_and_the_trace_context_of_w3c(plain):
    w3c = {"traceparent": "00-1-2-01", "tracestate": 7, "baggage": "a=1", "other": "x"}
    client_context = json.dumps({"custom": {}, "w3c": w3c})
    plain.send("context", **{"Lambda-Runtime-Aws-Tenant-Id": "blue", "Lambda-Runtime-Client-Context": client_context})
    context = json.loads(plain.answer().body())
    assert (context["tenant"], context["w3c"]) == ("blue", {"traceparent": "00-1-2-01", "baggage": "a=1"})


@pytest.mark.parametrize("client_context", ["{", "[]", "null", '{"w3c": []}', '{"w3c": null}'])
def test_a_client_s_context_may_be_anything(plain, client_context):
    plain.send("context", **{"Lambda-Runtime-Client-Context": client_context})
    assert json.loads(plain.answer().body())["w3c"] == {}


def test_what_a_component_prints_is_written_before_the_answer(api):
    with runtime(api.address) as process:
        api.send("print")
        api.answer().body()
        os.set_blocking(process.stdout.fileno(), False)
        assert process.stdout.read() == b"printed by a component\n"


def test_a_trace_does_not_outlive_its_invocation(plain):
    plain.send("context", **{"Lambda-Runtime-Trace-Id": "Root=1-2-3"})
    plain.answer().body()
    plain.send("context")
    assert json.loads(plain.answer().body())["trace"] == [None, None]


@pytest.mark.parametrize(("event", "error"), [("raise", "LookupError"), ("not json", "TypeError")])
def test_a_handler_that_fails_is_reported_and_the_next_event_served(plain, event, error):
    plain.send(event)
    report = plain.answer()
    assert report.path == "/2018-06-01/runtime/invocation/request-1/error"
    assert report.headers["lambda-runtime-function-error-type"] == error
    assert json.loads(report.body())["errorType"] == error
    cause = json.loads(report.headers["lambda-runtime-function-xray-error-cause"])
    [shown] = cause["exceptions"]
    assert shown["type"] == error
    assert {frame["path"] for frame in shown["stack"]} == set(cause["paths"])
    assert all(frame["line"] > 0 for frame in shown["stack"])
    plain.send("next")
    assert json.loads(plain.answer().body()) == {"got": "next"}


def test_an_error_whose_name_no_header_takes_is_reported(plain):
    plain.send("raise named")
    report = plain.answer()
    assert report.headers["lambda-runtime-function-error-type"] == r"\u30a8\r\n"
    assert json.loads(report.body())["errorType"] == "\u30a8\r\n"


@pytest.mark.parametrize("event", ["anything", request_event("/")])
def test_an_answer_that_the_runtime_api_refuses_does_not_end_the_environment(plain, event):
    plain.status = 413
    plain.send(event)
    plain.answer().body()
    plain.status = 202
    plain.send("next")
    assert json.loads(plain.answer().body()) == {"got": "next"}


def test_an_http_event_of_a_stage_that_takes_whole_answers_is_answered_in_one_piece(plain):
    plain.send(request_event("/", stage_variables={"responseMode": "buffered"}))
    answer = plain.answer()
    assert "lambda-runtime-function-response-mode" not in answer.headers
    assert json.loads(answer.body())["body"] == "firstlast"


def test_a_plain_function_can_be_served(api):
    with runtime(api.address, handler="app.plain"):
        api.send(request_event("/"))
        assert "got" in json.loads(api.answer().body())


def test_a_handler_that_cannot_be_loaded_is_an_init_error(api):
    with runtime(api.address, handler="broken.handler") as process:
        report = api.answer()
        assert report.path == "/2018-06-01/runtime/init/error"
        assert report.headers["lambda-runtime-function-error-type"] == "ImportError"
        assert json.loads(report.body())["errorMessage"] == "nothing to see here"
        assert process.wait(10) == 1


@pytest.mark.parametrize(
    "variables",
    [{"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}, {"AWS_LAMBDA_MAX_CONCURRENCY": "10"}],
    ids=["SnapStart", "concurrent invocations"],
)
def test_what_the_loop_cannot_do_is_an_init_error(api, variables):
    with runtime(api.address, **variables) as process:
        report = api.answer()
        assert report.path == "/2018-06-01/runtime/init/error"
        assert report.headers["lambda-runtime-function-error-type"] == "UnsupportedEnvironment"
        assert process.wait(10) == 1


@pytest.mark.parametrize("own", ["app.handler", ""])
def test_a_handler_that_another_wrapper_has_put_first_is_imported_and_the_function_s_still_streams(api, own):
    with runtime(api.address, handler="instrumented.handler", AGENTOS_HANDLER=own) as process:
        api.send(request_event("/"))
        answer = api.answer()
        assert answer.headers.get("lambda-runtime-function-response-mode") == ("streaming" if own else None)
        process.terminate()
        assert process.stdout.read().startswith(b"instrumented\n")


def test_the_runtime_ends_quietly_when_the_runtime_api_is_gone():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with runtime(f"127.0.0.1:{listener.getsockname()[1]}") as process:
            connection, _ = listener.accept()
            connection.recv(1000)
            connection.close()
            assert process.wait(10) == 0
            assert process.stdout.read() == b""


@pytest.mark.parametrize(
    ("event", "path"),
    [("anything", b"response"), ("raise", b"error"), (request_event("/large"), b"response")],
    ids=["json", "error", "stream"],
)
def test_an_answer_that_the_runtime_api_drops_does_not_end_the_environment(event, path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        with runtime(f"127.0.0.1:{listener.getsockname()[1]}"):
            payload = json.dumps(event).encode()
            head = b"Lambda-Runtime-Aws-Request-Id: 1\r\nLambda-Runtime-Deadline-Ms: 99999999999999\r\n"
            with listener.accept()[0] as asked:
                asked.recv(1000)
                asked.sendall(
                    b"HTTP/1.1 200 OK\r\nConnection: close\r\n%bContent-Length: %d\r\n\r\n%b"
                    % (head, len(payload), payload)
                )
            with listener.accept()[0] as answer:
                assert answer.recv(1000).startswith(b"POST /2018-06-01/runtime/invocation/1/" + path)
            with listener.accept()[0] as asked_again:
                assert asked_again.recv(1000).startswith(b"GET /2018-06-01/runtime/invocation/next")


def test_a_connection_that_is_closed_before_it_gives_an_invocation_is_replaced_once():
    asked = b"GET /2018-06-01/runtime/invocation/next"
    given = b"Lambda-Runtime-Aws-Request-Id: 1\r\nLambda-Runtime-Deadline-Ms: 99999999999999\r\nContent-Length: 2\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        with runtime(f"127.0.0.1:{listener.getsockname()[1]}") as process:
            with listener.accept()[0] as kept, kept.makefile("rb") as requests:
                assert any(asked in line for line in requests)
                kept.sendall(b"HTTP/1.1 200 OK\r\n%b\r\n{}" % given)
                assert any(b"/invocation/1/response" in line for line in requests)
                kept.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
                assert any(asked in line for line in requests)
            with listener.accept()[0] as fresh, fresh.makefile("rb") as requests:
                assert any(asked in line for line in requests)
            assert process.wait(10) == 0


def test_log_lines_are_json_with_the_managed_runtimes_fields_where_lambda_is_told_so(api):
    with runtime(api.address, AWS_LAMBDA_LOG_FORMAT="JSON", AWS_LAMBDA_LOG_LEVEL="ERROR") as process:
        api.send("raise")
        api.answer().body()
        line = json.loads(process.stdout.readline())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("timestamp"))
    assert re.fullmatch(r".+/aws/runtime/loop\.py:_answer:\d+", line.pop("location"))
    assert line.pop("stackTrace")[-1] == "LookupError: no such thing\n"
    assert line == {
        "level": "ERROR",
        "logger": "agentos_lambda.aws.runtime",
        "message": "the handler failed",
        "requestId": "request-1",
        "errorType": "LookupError",
        "errorMessage": "no such thing",
    }


def test_log_lines_are_text_otherwise_with_the_managed_runtimes_columns(api):
    with runtime(api.address, LOG_LEVEL="ERROR") as process:
        api.send("raise")
        api.answer().body()
        level, timestamp, request_id, message = process.stdout.readline().decode().rstrip().split("\t")
    assert (level, request_id) == ("[ERROR]", "request-1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", timestamp)
    assert message.endswith("the handler failed")


def test_sigterm_ends_an_idle_runtime(api):
    with runtime(api.address) as process:
        api.send("served")
        api.answer().body()
        process.terminate()
        assert process.wait(10) == -signal.SIGTERM
