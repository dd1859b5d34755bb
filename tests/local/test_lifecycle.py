"""How the stack starts and ends, what it keeps and what it leaves behind."""

import contextlib
import os
import signal
import socket
from pathlib import Path

import httpx
import pytest

from local.cloud.session import CloudClients
from tests.local.toy_process import toy_process
from tests.process import alive
from tests.waiting import until

pytestmark = pytest.mark.faults


@pytest.fixture
def start(tmp_path):
    (tmp_path / "signals").mkdir()
    return lambda **options: toy_process(tmp_path / "state", tmp_path / "signals", **options)


def cloud(stack):
    variables = httpx.get(f"{stack.url}/agents/echo/x", timeout=60).json()["variables"]
    clients = CloudClients(variables["AWS_ENDPOINT_URL"])
    return clients.dynamodb, clients.s3


def test_ctrl_c_ends_every_process_and_keeps_items_and_objects(start):
    item = {"run_id": {"S": "r"}, "item": {"S": "RECORD"}, "data": {"B": b"\x00\xff"}}
    with start() as stack:
        stack.until_ready()
        dynamodb, s3 = cloud(stack)
        dynamodb.put_item(TableName="RunsTable", Item=item)
        s3.put_object(Bucket="agentos-local-bucket", Key="runs/r/1", Body=bytes(range(256)), ContentType="x/y")
        started = stack.descendants()
        assert len(started) >= 4  # the cloud and an environment of each function
        assert stack.end(signal.SIGINT) == 0
        assert not alive(started)
        assert "Traceback" not in stack.output()
    with start() as stack:
        stack.until_ready()
        dynamodb, s3 = cloud(stack)
        assert dynamodb.get_item(TableName="RunsTable", Key={k: item[k] for k in ("run_id", "item")})["Item"] == item
        stored = s3.get_object(Bucket="agentos-local-bucket", Key="runs/r/1")
        assert (stored["Body"].read(), stored["ContentType"]) == (bytes(range(256)), "x/y")
        table = dynamodb.describe_table(TableName="RunsTable")["Table"]
        assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["due"]
        ttl = dynamodb.describe_time_to_live(TableName="RunEventsTable")["TimeToLiveDescription"]
        assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "expires_at")
        started = stack.descendants()
        assert stack.end(signal.SIGTERM) == 0
        assert not alive(started)


def kill_all(stack):
    """As a machine that loses its power does."""
    started = stack.descendants()
    for pid in (stack.process.pid, *started):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    stack.process.wait()
    until(lambda: not alive(started))


def test_what_was_written_seconds_before_a_kill_is_kept(start, tmp_path):
    saved = tmp_path / "state" / "cloud" / "dynamodb.json"
    key = {"run_id": {"S": "r"}, "item": {"S": "RECORD"}}
    with start() as stack:
        stack.until_ready()
        dynamodb, _ = cloud(stack)
        for round_ in ("first", "second"):
            dynamodb.put_item(TableName="RunsTable", Item={**key, "round": {"S": round_}})
            until(lambda round_=round_: saved.exists() and round_ in saved.read_text())
        kill_all(stack)
    with start() as stack:
        stack.until_ready()
        dynamodb, _ = cloud(stack)
        assert dynamodb.get_item(TableName="RunsTable", Key=key)["Item"] == {**key, "round": {"S": "second"}}


@pytest.mark.parametrize(
    "broken",
    [b"", b'{"__ministack_format__": 2, "payl', b"\xff\xfe", b'{"__ministack_format__": 99, "payload": {}}', b"[1]"],
    ids=["empty", "cut off", "no text", "of a newer ministack", "of another shape"],
)
def test_a_broken_state_is_reported_and_kept_aside_and_nothing_starts(start, tmp_path, broken):
    folder = tmp_path / "state" / "cloud"
    folder.mkdir(parents=True)
    (folder / "dynamodb.json").write_bytes(broken)
    with start() as stack:
        assert stack.process.wait(30) == 1
        stack.end()
        [line] = stack.output().splitlines()
        assert line.startswith(f"the saved state {folder / 'dynamodb.json'} is broken (")
        assert "dynamodb.json.broken-1" in line
    assert (folder / "dynamodb.json.broken-1").read_bytes() == broken
    assert not (folder / "dynamodb.json").exists()


def test_not_even_a_kill_leaves_a_process(start):
    with start() as stack:
        stack.until_ready()
        started = stack.descendants()
        stack.process.kill()
        stack.process.wait()
        until(lambda: not alive(started))


def test_ctrl_c_does_not_wait_for_a_request_that_hangs(start):
    with start() as stack:
        stack.until_ready()
        with socket.create_connection(("127.0.0.1", stack.port)) as connection:
            connection.sendall(b"GET /agents/hang HTTP/1.1\r\nHost: x\r\n\r\n")
            assert stack.end(signal.SIGINT) == 0
            assert "Traceback" not in stack.output()


def test_ctrl_c_while_it_starts_leaves_nothing(start):
    with start() as stack:
        until(stack.descendants)
        started = stack.descendants()
        assert stack.end(signal.SIGINT) == 0
        assert not alive(started)


def test_a_port_in_use_is_one_clear_line_and_nothing_starts(start, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with start(port=port) as stack:
            assert stack.process.wait(20) == 1
            stack.end()
            [line] = stack.output().splitlines()
            assert str(port) in line
    assert not (tmp_path / "state").exists()


def test_a_broken_components_file_is_reported_and_nothing_is_served(start, tmp_path):
    (tmp_path / "broken.py").touch()
    with start(components=tmp_path / "broken.py") as stack:
        assert stack.process.wait(30) == 1
        stack.end()
        assert stack.output() == "broken.py: line 1: it is broken\n"


def test_a_missing_components_file_is_reported(start, tmp_path):
    with start(components=tmp_path / "nowhere.py") as stack:
        assert stack.process.wait(30) == 1
        stack.end()
        assert stack.output() == f"{tmp_path / 'nowhere.py'}: no such components file\n"


def test_a_folder_that_cannot_be_written_is_reported(tmp_path):
    (tmp_path / "state").touch()
    with toy_process(tmp_path / "state", tmp_path) as stack:
        assert stack.process.wait(20) == 1
        stack.end()
        assert stack.output() == f"{tmp_path / 'state'} cannot be written: File exists\n"


def test_a_second_stack_over_the_same_state_does_not_start(stack, shared_folder):
    with toy_process(shared_folder / "state", shared_folder / "signals") as second:
        assert second.process.wait(20) == 1
        second.end()
        assert "another stack" in second.output()
    assert httpx.get(f"{stack.url}/agents").status_code == 200


def test_the_stack_ends_with_its_cloud(start):
    with start() as stack:
        stack.until_ready()
        started = stack.descendants()
        [cloud] = [pid for pid in started if b"ministack" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        os.kill(cloud, signal.SIGKILL)
        assert stack.process.wait(20) == 1
        stack.end()
        assert stack.output().endswith("the local cloud has ended\n")
        assert not alive(started)


def test_the_response_mode_holds_for_the_stage_and_its_integrations_together(start):
    with start(AGENTOS_RESPONSE_MODE="buffered") as stack:
        stack.until_ready()
        answer = httpx.get(f"{stack.url}/agents/echo/x", timeout=60)
        assert answer.json()["event"]["stageVariables"] == {"responseMode": "buffered"}
        assert int(answer.headers["content-length"]) == len(answer.content)
