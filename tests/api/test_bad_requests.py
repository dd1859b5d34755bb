"""What bad input gets: an error in the one format, and nothing left in the store."""

import gzip

import pytest

from agentos_lambda.protocol.values import Kind
from tests.api.world import NAMES

pytestmark = pytest.mark.anyio

PATHS = [f"/{kind.plural}/{NAMES[kind]}/runs" for kind in Kind]
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
MULTIPART = {"content-type": "multipart/form-data; boundary=b"}
MESSAGE = b'--b\r\nContent-Disposition: form-data; name="message"\r\n\r\n%b\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="files"; %b\r\n\r\nx\r\n' + MESSAGE % b"hi" + b"--b--\r\n"
DEEP = b'{"message": "hi", "metadata": ' + b'{"a":' * 65 + b"1" + b"}" * 65 + b"}"

UNPARSEABLE = {
    "broken JSON": (b'{"message": ', JSON),
    "JSON that is no object": (b'["message"]', JSON),
    "NaN": (b'{"message": "hi", "metadata": {"a": NaN}}', JSON),
    "a number that is too large": (b'{"message": "hi", "metadata": {"a": 1e999}}', JSON),
    "nested too deep": (DEEP, JSON),
    "nested absurdly deep": (b"[" * 100_000, JSON),
    "JSON that is not UTF-8": (b'{"message": "\xff"}', JSON),
    "half of a surrogate pair": (b'{"message": "\\ud800"}', JSON),
    "a form that is not UTF-8": (b"message=%ff", FORM),
    "JSON that is called a form": (b'{"message": "hi"}', FORM),
    "a form whose bytes API Gateway has replaced": ("message=caf\ufffd".encode(), FORM),
    "multipart without a boundary": (b"--b", {"content-type": "multipart/form-data"}),
    "broken multipart": (b"nonsense", MULTIPART),
    "multipart text that is not UTF-8": (MESSAGE % b"\xff" + b"--b--\r\n", MULTIPART),
    "multipart without an end": (MESSAGE % b"hi", MULTIPART),
    "an empty multipart body": (b"", MULTIPART),
    "some other type": (b"hello", {"content-type": "text/plain"}),
    "JSON in another Unicode encoding": ('{"message": "hi"}'.encode("utf-16"), JSON),
    "gzip that is none": (b'{"message": "hi"}', {**JSON, "content-encoding": "gzip"}),
    "gzip that was cut off": (gzip.compress(b'{"message": "hi"}')[:-9], {**JSON, "content-encoding": "gzip"}),
    "gzip with something behind it": (gzip.compress(b'{"message": "hi"}') + b"x", {**JSON, "content-encoding": "gzip"}),
    "deflate that is none": (b'{"message": "hi"}', {**JSON, "content-encoding": "deflate"}),
    "a file's name in no charset": (FILE % b"filename*=NO''a.txt", MULTIPART),
    "a file's name that is not in its charset": (FILE % b"filename*=UTF-8''%%FF.txt", MULTIPART),
}

INVALID = {
    "an empty body": ({}, "message"),
    "an empty message": ({"message": ""}, "message"),
    "a message of the wrong type": ({"message": 5}, "message"),
    "a flag that is none": ({"message": "hi", "stream": "banana"}, "stream"),
    "a run's id that is too long": ({"message": "hi", "run_id": "x" * 129}, "run_id"),
    "a run's id with other characters": ({"message": "hi", "run_id": "a/b"}, "run_id"),
    "a run's id that ends in a newline": ({"message": "hi", "run_id": "a\n"}, "run_id"),
    "a run's id that clients take out of a path": ({"message": "hi", "run_id": ".."}, "run_id"),
    "a user's id that is too long": ({"message": "hi", "user_id": "x" * 257}, "user_id"),
    "a user's id with a control character": ({"message": "hi", "user_id": "a\x85"}, "user_id"),
    "a session's id that is too long": ({"message": "hi", "session_id": "x" * 257}, "session_id"),
    "a session's id with a slash": ({"message": "hi", "session_id": "a/b"}, "session_id"),
    "a session's id that clients take out of a path": ({"message": "hi", "session_id": "."}, "session_id"),
    "metadata that is not JSON": ({"message": "hi", "metadata": "{"}, "metadata"),
    "metadata with a number that is too large": ({"message": "hi", "metadata": '{"a": -1e999}'}, "metadata"),
    "metadata with half of a surrogate pair": ({"message": "hi", "metadata": r'{"a": "\ud800"}'}, "metadata"),
    "a file with half of a surrogate pair": (
        {"message": "hi", "input_files": r'[{"content": "\ud800", "mime_type": "text/plain"}]'},
        "input_files",
    ),
    "metadata that is nested too deep": ({"message": "hi", "metadata": '{"a":' * 65 + "1" + "}" * 65}, "metadata"),
    "additional data that is no object": ({"message": "hi", "additional_data": "text"}, "additional_data"),
    "a flag of the context that is none": ({"message": "hi", "add_history_to_context": 7}, "add_history_to_context"),
    "state that is no object": ({"message": "hi", "session_state": "[1]"}, "session_state"),
    "filters that are no object": ({"message": "hi", "knowledge_filters": "1"}, "knowledge_filters"),
    "a filter that is no object": ({"message": "hi", "knowledge_filters": [1]}, "knowledge_filters"),
    "a filter of an unknown operator": ({"message": "hi", "knowledge_filters": {"op": "LIKE"}}, "knowledge_filters"),
    "a filter without a key": ({"message": "hi", "knowledge_filters": '{"op":"EQ","value":1}'}, "knowledge_filters"),
    "a schema that is no object": ({"message": "hi", "output_schema": "null-ish"}, "output_schema"),
    "a schema of no object": ({"message": "hi", "output_schema": {"type": "string"}}, "output_schema"),
    "a schema with properties that are no object": (
        {"message": "hi", "output_schema": {"type": "object", "properties": []}},
        "output_schema",
    ),
    "a schema of an unknown type": (
        {"message": "hi", "output_schema": {"type": "object", "properties": {"a": {"type": "weird"}}}},
        "output_schema",
    ),
    "images that are no array": ({"message": "hi", "images": "{}"}, "images"),
}


def check_nothing_left(api) -> None:
    assert api.world.store._records == {}
    assert api.world.engine.runs == []


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("case", UNPARSEABLE)
async def test_what_cannot_be_parsed_is_a_400(api, path, case):
    content, headers = UNPARSEABLE[case]
    answer = await api.client.post(path, content=content, headers=headers)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "BAD_REQUEST")
    assert isinstance(answer.json()["detail"], str)
    check_nothing_left(api)


async def test_multipart_text_may_be_in_another_charset_that_is_told(api):
    headers = {"content-type": "multipart/form-data; boundary=b; charset=iso-8859-1"}
    answer = await api.client.post(PATHS[0], content=MESSAGE % b"Gr\xfc\xdfe" + b"--b--\r\n", headers=headers)
    assert answer.status_code == 200
    assert api.engine_inputs[0].message == "Grüße"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("case", INVALID)
async def test_a_field_that_is_wrong_is_a_422_that_names_it(api, path, case):
    body, field = INVALID[case]
    answer = await api.client.post(path, json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (422, "VALIDATION_ERROR")
    assert {error["field"].partition(".")[0] for error in answer.json()["errors"]} == {field}
    assert all(error["message"] for error in answer.json()["errors"])
    assert answer.json()["detail"].startswith(field)
    check_nothing_left(api)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("encoding", ["json", "data", "files"])
async def test_a_text_of_over_a_mebibyte_is_a_413(api, path, encoding):
    text = "x" * (1024 * 1024 + 1)
    answer = await api.client.post(path, **{encoding: {"message": (None, text) if encoding == "files" else text}})
    assert (answer.status_code, answer.json()["error_code"]) == (413, "PAYLOAD_TOO_LARGE")
    check_nothing_left(api)


@pytest.mark.parametrize("kind", list(Kind))
async def test_unknown_things_are_404_in_the_words_of_the_reference(api, kind):
    base = f"/{kind.plural}"
    for path in (f"{base}/nope", f"{base}/nope/runs?session_id=s", f"{base}/nope/runs/r"):
        answer = await api.client.get(path)
        assert (answer.status_code, answer.json()) == (
            404,
            {"detail": f"{kind.label} not found", "error_code": "NOT_FOUND"},
        )
    answer = await api.client.post(f"{base}/nope/runs", json={"message": "hi"})
    assert (answer.status_code, answer.json()["detail"]) == (404, f"{kind.label} not found")
    answer = await api.client.get(f"{base}/{NAMES[kind]}/runs/r")
    assert (answer.status_code, answer.json()["detail"]) == (404, "Run not found")
    answer = await api.client.get(f"{base}/{NAMES[kind]}/runs?session_id=s")
    assert (answer.status_code, answer.json()["detail"]) == (404, "Session not found")


async def test_an_unknown_path_and_a_wrong_method_answer_in_the_format(api):
    answer = await api.client.get("/nowhere")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found", "error_code": "NOT_FOUND"})
    answer = await api.client.delete("/agents")
    assert (answer.status_code, answer.json()["error_code"]) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "GET"


async def test_a_list_without_a_session_or_with_an_unknown_status_is_a_422(api):
    for query, field in (({}, "session_id"), ({"session_id": "s", "status": "DONE"}, "status")):
        answer = await api.client.get("/agents/assistant/runs", params=query)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_a_run_id_in_use_is_a_409(api):
    body = {"message": "hi", "run_id": "mine"}
    assert (await api.client.post("/agents/assistant/runs", json=body)).status_code == 200
    answer = await api.client.post("/agents/assistant/runs", json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (409, "CONFLICT")
    assert len(api.world.engine.runs) == 1


async def test_a_session_of_another_user_is_a_404(api):
    await api.client.post("/agents/assistant/runs", json={"message": "hi", "session_id": "s", "user_id": "alice"})
    answer = await api.client.post(
        "/agents/assistant/runs", json={"message": "hi", "session_id": "s", "user_id": "bob"}
    )
    assert (answer.status_code, answer.json()["detail"]) == (404, "Session not found")


@pytest.mark.parametrize("fields", [{}, {"last_event_index": None, "session_id": None}, {"last_event_index": ""}])
async def test_a_resumption_without_an_index_begins_at_the_start(api, fields):
    run_id = (await api.client.post(PATHS[0], json={"message": "hi", "session_id": None})).json()["run_id"]
    answer = await api.client.post(f"{PATHS[0]}/{run_id}/resume", json=fields)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


@pytest.mark.parametrize("run_id", ["x" * 3000, "a%20b", "%00", "%FF", "a,b"])
async def test_what_can_be_no_id_is_the_id_of_no_run_and_asks_no_store(api, run_id):
    api.world.store.get = None
    for method, action in (("GET", ""), ("POST", "/cancel"), ("POST", "/resume"), ("POST", "/continue")):
        answer = await api.client.request(method, f"{PATHS[0]}/{run_id}{action}")
        assert (answer.status_code, answer.json()["detail"]) == (404, "Run not found")


@pytest.mark.parametrize("session_id", ["", "x" * 257, "a/b", "..", "a\0"])
async def test_a_session_id_in_a_query_follows_the_rules_for_ids(api, session_id):
    api.world.store.load = None
    answer = await api.client.get(PATHS[0], params={"session_id": session_id})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "session_id")


async def test_only_one_trailing_slash_is_stripped(api):
    assert (await api.client.get("/agents/")).status_code == 200
    for path in ("/agents//", "/agents/%2F"):
        assert (await api.client.get(path)).status_code == 404
