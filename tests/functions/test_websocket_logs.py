"""What functions write while workflows run over a WebSocket: as processes of their own, as detailed as can be."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.aws.runtime_api_double import RuntimeApiDouble
from tests.aws.runtime_process import runtime
from tests.cloud import CONNECTIONS, REGION, tables_of, tenant
from tests.functions.handlers import sample_event
from tests.process import ROOT
from tests.tables import create_tables

KEY, GUESS = "sesame-key", "mauve-key"
PROMPT = "cobalt-elephant"
CONNECTION = "Vb3xBc5zDoECGVQ="


class ManagementApi(BaseHTTPRequestHandler):
    """Every connection is there, and takes everything."""

    posted: list[str]

    def do_POST(self) -> None:
        self.posted.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Nobody reads it."""


class Lambda:
    """A function's process."""

    def __init__(self, api: RuntimeApiDouble, process: Any) -> None:
        self._api = api
        self._process = process
        self._invocations = 0

    def invoke(self, event: Any) -> Any:
        self._invocations += 1
        self._api.send(event, request_id=f"request-{self._invocations}")
        return json.loads(self._api.answer().body())

    def log(self) -> str:
        """Everything that it has written. It writes nothing after that."""
        self._process.kill()
        return self._process.stdout.read().decode()


@contextmanager
def function(name: str, **variables: str) -> Iterator[Lambda]:
    api = RuntimeApiDouble()
    layers = os.pathsep.join(str(ROOT / "layers" / layer) for layer in ("agentos_lambda", "components"))
    with api.running(), runtime(api.address, task=ROOT / "functions" / name, PYTHONPATH=layers, **variables) as process:
        yield Lambda(api, process)


def said(action: str, **fields: str) -> Any:
    event = sample_event(f"websocket-{action}")
    event["body"] = json.dumps({**json.loads(event["body"]), **fields})
    return event


@pytest.fixture(scope="module")
def posted() -> list[str]:
    return []


@pytest.fixture(scope="module")
def lines(manifest: Path, cloud_url: str, posted: list[str]) -> list[dict[str, Any]]:
    """The log of a connection that guesses a key, runs a workflow and one whose step fails, and goes."""
    management = ThreadingHTTPServer(("127.0.0.1", 0), type("Api", (ManagementApi,), {"posted": posted}))
    account = tenant()
    tables = tables_of(account)
    with ExitStack() as stack:
        stack.enter_context(management)
        threading.Thread(target=management.serve_forever, daemon=True).start()
        stack.callback(management.shutdown)
        dynamodb, s3, sqs = (
            boto3.client(
                service,
                endpoint_url=cloud_url,
                region_name=REGION,
                aws_access_key_id=account,
                aws_secret_access_key="not-checked",
            )
            for service in ("dynamodb", "s3", "sqs")
        )
        create_tables(dynamodb, s3, tables)
        runs = sqs.create_queue(QueueName="runs")["QueueUrl"]
        variables = {
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "not-checked",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": cloud_url,
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "LOG_LEVEL": "DEBUG",
            "STACK_NAME": "agentos",
            "OS_SECURITY_KEY": KEY,
            "RUNS_TABLE": tables.runs,
            "SESSIONS_TABLE": tables.sessions,
            "EVENTS_TABLE": tables.events,
            "CONNECTIONS_TABLE": CONNECTIONS,
            "BUCKET": tables.bucket,
            "RUNS_QUEUE_URL": runs,
            "WEBSOCKET_MANAGEMENT_URL": f"http://127.0.0.1:{management.server_port}",
            "AGENTOS_MANIFEST": str(manifest),
        }
        websocket = stack.enter_context(function("websocket", **variables))
        worker = stack.enter_context(function("worker", **variables))
        assert websocket.invoke(sample_event("websocket-connect")) == {"statusCode": 200}
        for event in (
            said("authenticate", token=GUESS),
            said("authenticate", token=KEY),
            {**said("ping"), "body": f"no JSON, but {PROMPT}"},
            said("start-workflow", message=PROMPT),
            said("start-workflow", message=f"[fail {PROMPT}]"),
        ):
            assert websocket.invoke(event) == {"statusCode": 200}
        for _ in range(2):
            [message] = sqs.receive_message(QueueUrl=runs, WaitTimeSeconds=5)["Messages"]
            event = {"Records": [{"messageId": "m", "body": message["Body"]}]}
            assert worker.invoke(event) == {"batchItemFailures": []}
            sqs.delete_message(QueueUrl=runs, ReceiptHandle=message["ReceiptHandle"])
        websocket.invoke(sample_event("websocket-disconnect"))
        written = websocket.log() + worker.log()
    return [json.loads(line) for line in written.splitlines()]


def ids(lines: list[dict[str, Any]], name: str) -> set[str]:
    return {line[name] for line in lines if name in line}


def test_the_runs_were_told_to_the_connection(lines: list[dict[str, Any]], posted: list[str]) -> None:
    """Else there would have been nothing to be silent about."""
    told = "".join(posted)
    assert PROMPT in told
    assert "WorkflowCompleted" in told


def test_a_run_is_found_by_its_connection_and_its_session_by_the_run(lines: list[dict[str, Any]]) -> None:
    of_connection = [line for line in lines if line.get("connection_id") == CONNECTION]
    runs = ids(of_connection, "run_id")
    assert len(runs) == 2
    of_runs = [line for line in lines if line.get("run_id") in runs and "_aws" in line]
    assert all(line["session_id"] for line in of_runs)
    assert {name for line in of_runs for name in line if name.startswith("Runs")} >= {"RunsStarted", "RunsCompleted"}
    assert {line["message"] for line in of_connection} >= {"a connection was opened", "a connection was closed"}


def test_every_line_is_json_and_names_its_request(lines: list[dict[str, Any]]) -> None:
    starts = [line for line in lines if line["requestId"] == "-"]
    assert all("ColdStarts" in line or line["logger"].startswith("boto") for line in starts)  # clients are made then
    assert {line["requestId"].partition("-")[0] for line in lines if line not in starts} == {"request"}


def test_no_line_holds_a_key_a_prompt_or_an_answer(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        for secret in (KEY, GUESS, PROMPT, "you said"):
            assert secret not in json.dumps(line)
