"""Bodies as clients encode them: compressed, with a byte order mark, with names in RFC 5987's form."""

import gzip
import json
import zlib
from codecs import BOM_UTF8

import httpx
import pytest

from agentos_lambda.api.requests.encodings import MAX_UNPACKED
from tests.api.test_runs import KINDS

pytestmark = pytest.mark.anyio

RUNS = "/agents/assistant/runs"
JSON = {"content-type": "application/json"}
BODIES = {
    "json": {"json": {"message": "Grüße"}},
    "urlencoded": {"data": {"message": "Grüße"}},
    "multipart": {"files": {"message": (None, "Grüße")}},
}


def raw(data):
    encoder = zlib.compressobj(wbits=-15)
    return encoder.compress(data) + encoder.flush()


ENCODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZip": gzip.compress,
    "gzip, identity": gzip.compress,
    "deflate": zlib.compress,
    " deflate ": raw,
    "identity": bytes,
    "": bytes,
    "deflate, gzip": lambda data: gzip.compress(zlib.compress(data)),
}


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize("encoding", ENCODERS)
@pytest.mark.parametrize("body", BODIES)
async def test_a_compressed_body_is_read(api, path, encoding, body):
    plain = httpx.Request("POST", "http://test", **BODIES[body])
    headers = {"content-type": plain.headers["content-type"], "content-encoding": encoding}
    answer = await api.client.post(f"{path}/runs", content=ENCODERS[encoding](plain.read()), headers=headers)
    assert answer.status_code == 200, answer.text
    assert api.engine_inputs[0].message == "Grüße"


async def test_a_body_of_several_gzip_members_is_read(api):
    parts = gzip.compress(b'{"message": ') + gzip.compress(b'"hi"}')
    answer = await api.client.post(RUNS, content=parts, headers={**JSON, "content-encoding": "gzip"})
    assert (answer.status_code, api.engine_inputs[0].message) == (200, "hi")


@pytest.mark.parametrize("action", ["", "/r/continue", "/r/resume", "/r/cancel"])
@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "banana", "gzip, gzip, gzip, gzip"])
async def test_an_unknown_encoding_is_a_415(api, encoding, action):
    headers = {**JSON, "content-encoding": encoding}
    answer = await api.client.post(f"{RUNS}{action}", content=b'{"message": "hi"}', headers=headers)
    assert (answer.status_code, answer.json()["error_code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert api.engine_inputs == []


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "deflate, gzip"])
async def test_a_body_that_unpacks_to_too_much_is_a_413(api, encoding):
    bomb = ENCODERS[encoding](b"[" * (MAX_UNPACKED + 1))
    answer = await api.client.post(RUNS, content=bomb, headers={**JSON, "content-encoding": encoding})
    assert (answer.status_code, answer.json()["error_code"]) == (413, "PAYLOAD_TOO_LARGE")


async def test_many_members_together_unpack_to_no_more_than_one(api):
    bomb = gzip.compress(b"[" * 1024 * 1024) * 7
    answer = await api.client.post(RUNS, content=bomb, headers={**JSON, "content-encoding": "gzip"})
    assert (answer.status_code, answer.json()["error_code"]) == (413, "PAYLOAD_TOO_LARGE")


async def test_a_body_that_unpacks_to_just_enough_is_read(api):
    message = {"message": "hi", "metadata": {}}
    body = json.dumps(message).encode()
    body = body[:-1] + b" " * (MAX_UNPACKED - len(body)) + body[-1:]
    answer = await api.client.post(RUNS, content=gzip.compress(body), headers={**JSON, "content-encoding": "gzip"})
    assert answer.status_code == 200


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", ""])
async def test_json_may_begin_with_a_byte_order_mark(api, content_type):
    body = BOM_UTF8 + b'{"message": "hi"}'
    answer = await api.client.post(RUNS, content=body, headers={"content-type": content_type})
    assert (answer.status_code, api.engine_inputs[0].message) == (200, "hi")


async def test_a_form_and_json_within_it_may_begin_with_a_byte_order_mark(api):
    body = BOM_UTF8 + b"message=hi&metadata=%EF%BB%BF%7B%22a%22%3A1%7D"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await api.client.post(RUNS, content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert (api.engine_inputs[0].message, api.engine_inputs[0].metadata) == ("hi", {"a": 1})


NAMES = {
    "filename*=UTF-8''na%C3%AFve.txt": "naïve.txt",
    "filename*=utf-8'en'na%C3%AFve.txt": "naïve.txt",
    "filename*=\"UTF-8''a%20b%3B%22c%22.txt\"": 'a b;"c".txt',
    "filename*=iso-8859-1''na%EFve.txt": "naïve.txt",
    "filename=\"naive.txt\"; filename*=UTF-8''na%C3%AFve.txt": "naïve.txt",
    "filename*=UTF-8''na%C3%AFve.txt; filename=\"naive.txt\"": "naïve.txt",
    "filename=\"a; filename*=UTF-8''b.txt\"": "a; filename*=UTF-8''b.txt",
    'filename="a*b.txt"': "a*b.txt",
}


@pytest.mark.parametrize("given", NAMES)
@pytest.mark.parametrize("field", ['name="files"', "name*=UTF-8''Anh%C3%A4nge"])
async def test_a_file_is_named_as_its_client_encodes_names(api, given, field):
    parts = ['name="message"\r\n\r\nhi', f"{field}; {given}\r\nContent-Type: text/plain\r\n\r\nx"]
    body = "".join(f"--b\r\nContent-Disposition: form-data; {part}\r\n" for part in parts) + "--b--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = await api.client.post(RUNS, content=body.encode(), headers=headers)
    assert answer.status_code == 200, answer.text
    (media,) = api.engine_inputs[0].media
    assert (media.filename, media.content) == (NAMES[given], b"x")
