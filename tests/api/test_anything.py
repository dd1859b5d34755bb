"""Whatever is sent, the answer is an expected one in an expected form, and tells nothing of the inside."""

import asyncio
import json
import re
import string
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentos_lambda.protocol.values import Kind
from tests.api.world import NAMES, Api

EXPECTED = {200, 202, 400, 404, 405, 409, 413, 422}
INSIDE = re.compile(r"Traceback|File \"|arn:aws|site-packages|pydantic|starlette|agentos_lambda|0x[0-9a-f]{6}")
FIELDS = (
    *("message", "input", "stream", "background", "session_id", "user_id", "run_id", "session_state", "dependencies"),
    *("metadata", "knowledge_filters", "output_schema", "images", "audio", "videos", "input_files", "files"),
    *("files_metadata", "tools", "requirements", "step_requirements", "last_event_index", "fork", "continue_from"),
)
TYPES = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "text/plain",
    "",
    "/",
)

Ask = Callable[..., httpx.Response]

texts = st.text(st.characters(codec="utf-8"), max_size=40)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
media = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("content", "url", "mime_type", "filename", "metadata"), values)
)
bodies = st.dictionaries(st.sampled_from(FIELDS), values | st.lists(media, max_size=2), max_size=6)
forms = st.dictionaries(st.sampled_from(FIELDS), texts | values.map(json.dumps), max_size=6)
actions = st.sampled_from(("", "/r/cancel", "/r/resume", "/r/continue", "/r"))
few = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def check(answer: httpx.Response) -> None:
    assert answer.status_code in EXPECTED, answer.text
    if answer.status_code < 300:
        return
    body = answer.json()
    assert {"detail", "error_code"} <= set(body) <= {"detail", "error_code", "errors"}
    assert isinstance(body["detail"], str)
    assert not INSIDE.search(answer.text), answer.text


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Asks one app, in one event loop."""
    api = Api()

    async def asked(method: str, path: str, options: Any) -> httpx.Response:
        answer = await api.client.request(method, path, **options)
        await api.world.executor.idle()
        return answer

    with asyncio.Runner() as runner:
        yield lambda method, path, **options: runner.run(asked(method, path, options))


@few
@given(kind=st.sampled_from(list(Kind)), action=actions, body=bodies)
def test_any_json_object(ask, kind, action, body):
    check(ask("POST", f"/{kind.plural}/{NAMES[kind]}/runs{action}", json=body))


@few
@given(kind=st.sampled_from(list(Kind)), action=actions, form=forms, as_multipart=st.booleans())
def test_any_form(ask, kind, action, form, as_multipart):
    encoded = {"files": {name: (None, text) for name, text in form.items()}} if as_multipart else {"data": form}
    check(ask("POST", f"/{kind.plural}/{NAMES[kind]}/runs{action}", **encoded))


@few
@given(action=actions, content=st.binary(max_size=200), content_type=st.sampled_from(TYPES))
def test_any_bytes(ask, action, content, content_type):
    check(ask("POST", f"/agents/assistant/runs{action}", content=content, headers={"content-type": content_type}))


@few
@given(
    name=texts.filter(bool),
    content=st.binary(max_size=50),
    content_type=st.sampled_from(("image/png", "text/plain", "nonsense", "application/octet-stream")),
    metadata=texts | values.map(json.dumps),
)
def test_any_file(ask, name, content, content_type, metadata):
    files = [("files", (name, content, content_type))]
    check(ask("POST", "/agents/assistant/runs", data={"message": "hi", "files_metadata": metadata}, files=files))


@few
@given(
    method=st.sampled_from(("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS")),
    segments=st.lists(st.text(string.printable + "äß🦆", max_size=20), max_size=5),
    query=st.dictionaries(texts, texts, max_size=3),
    prefix=st.sampled_from(("", "/agents", "/teams/research-team/runs", "/workflows/story-workflow")),
)
def test_any_path_and_query(ask, method, segments, query, prefix):
    path = prefix + "".join(f"/{httpx.QueryParams({'a': segment})!s:.200}"[3:] for segment in segments)
    answer = ask(method, path or "/", params=query)
    if method == "HEAD":
        assert answer.content == b""
    else:
        check(answer)


@pytest.mark.parametrize("header", ["Idempotency-Key", "Last-Event-ID", "Authorization", "Content-Type", "Origin"])
@few
@given(value=st.text(string.printable.replace("\r", "").replace("\n", ""), max_size=30).map(str.strip))
def test_any_header(ask, header, value):
    for action in ("", "/r/resume"):
        check(ask("POST", f"/agents/assistant/runs{action}", content=b'{"message": "hi"}', headers={header: value}))
