"""Files reach the component byte for byte, or the request is refused before anything runs."""

import base64

import pytest

from agentos_lambda.api.requests import uploads
from agentos_lambda.api.requests.file_types import file_type

pytestmark = pytest.mark.anyio

BYTES = bytes(range(256))
RUNS = "/agents/assistant/runs"
TAKEN = [
    ("a.png", "image/png", "image"),
    ("a.jpg", "image/jpg", "image"),
    ("a.webp", "image/webp", "image"),
    ("a.wav", "audio/wav", "audio"),
    ("a.mp3", "audio/mpeg", "audio"),
    ("a.flv", "video/flv", "video"),
    ("a.mov", "video/quicktime", "video"),
    ("a.3gp", "video/3gpp", "video"),
    ("a.pdf", "application/pdf", "file"),
    ("a.csv", "text/csv; charset=utf-8", "file"),
    ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "file"),
    ("a.json", "application/json", "file"),
    ("a.xml", "application/xml", "file"),
    ("notes.md", "application/octet-stream", "file"),
    ("photo.heic", "application/octet-stream", "image"),
    ("a.wav", "binary/octet-stream", "audio"),
]
OTHER_NAMES = [
    ("a.wav", "audio/x-wav", "audio/wav"),
    ("a.wav", "audio/vnd.wave; codec=1", "audio/wav"),
    ("a.wmv", "video/x-ms-wmv", "video/wmv"),
    ("a.m4a", "audio/x-m4a", "audio/m4a"),
    ("a.flac", "audio/x-flac", "audio/flac"),
    ("a.aac", "audio/x-aac", "audio/aac"),
    ("a.3gp", "audio/3gpp", "audio/3gpp"),
    ("a.mp3", "audio/x-mp3", "audio/mp3"),
    ("a.ogg", "audio/ogg;codecs=opus", "audio/ogg"),
    ("a.opus", "audio/opus", "audio/ogg"),
    ("a.webm", "audio/webm;codecs=opus", "audio/webm"),
    ("blob", "Audio/WebM; codecs=opus", "audio/webm"),
    ("a.mp4", 'video/mp4; codecs="avc1.42E01E, mp4a.40.2"', "video/mp4"),
    ("a.flv", "video/x-flv", "video/x-flv"),
    ("a.jpg", "image/pjpeg", "image/jpeg"),
    ("a.png", "image/x-png", "image/png"),
    ("a.bmp", "image/x-ms-bmp", "image/bmp"),
    ("a.pdf", "application/x-pdf", "application/pdf"),
    ("a.csv", "application/csv", "text/csv"),
    ("a.csv", "text/x-csv", "text/csv"),
    ("a.md", "text/x-markdown", "text/markdown"),
    ("a.js", "application/x-javascript", "application/x-javascript"),
    ("a.doc", "application/x-msword", "application/msword"),
    ("a.zip", "application/x-zip-compressed", "application/zip"),
    ("a.yaml", "application/yaml", "text/plain"),
    ("a.yml", "text/x-yaml", "text/plain"),
    ("a.tsv", "text/tab-separated-values", "text/plain"),
    ("a.ics", "text/calendar; charset=utf-8; method=REQUEST", "text/plain"),
    ("a.svg", "image/svg+xml", "text/xml"),
    ("a.odt", "application/vnd.oasis.opendocument.text", None),
    ("a.odt", "application/octet-stream", None),
    ("a.yaml", "", "text/plain"),
]
"""Names of types that clients send, and those that the engine takes."""


@pytest.mark.parametrize(("name", "content_type", "kind"), TAKEN)
async def test_a_file_arrives_byte_for_byte_as_its_kind(api, name, content_type, kind):
    files = [("files", (name, BYTES, content_type))]
    answer = await api.client.post(RUNS, data={"message": "look"}, files=files)
    assert answer.status_code == 200, answer.text
    (media,) = api.engine_inputs[0].media
    assert (media.kind, media.content, media.filename) == (kind, BYTES, name)


@pytest.mark.parametrize(("name", "content_type", "mime_type"), OTHER_NAMES)
async def test_a_type_has_other_usual_names(api, name, content_type, mime_type):
    answer = await api.client.post(RUNS, data={"message": "look"}, files=[("files", (name, BYTES, content_type))])
    assert answer.status_code == 200, answer.text
    (media,) = api.engine_inputs[0].media
    assert (media.content, media.mime_type) == (BYTES, mime_type)
    kind = "file" if mime_type is None else mime_type.partition("/")[0]
    assert media.kind == (kind if kind in ("audio", "image", "video") else "file")


async def test_what_httpx_sends_for_a_file_by_its_name_is_taken(api):
    for name in ("a.wav", "a.wmv", "a.m4a", "a.3gp", "a.svg", "a.tsv", "a.ics", "a.odt", "a.md", "a.csv", "a.py"):
        answer = await api.client.post(RUNS, data={"message": "look"}, files=[("files", (name, BYTES))])
        assert answer.status_code == 200, answer.text


async def test_several_files_keep_their_order_and_their_metadata(api):
    files = [("files", ("a.png", b"1", "image/png")), ("files", ("b.txt", b"2", "text/plain"))]
    data = {"message": "look", "files_metadata": '[null, {"page": 2}]'}
    assert (await api.client.post(RUNS, data=data, files=files)).status_code == 200
    media = api.engine_inputs[0].media
    assert [(item.filename, item.metadata) for item in media] == [("a.png", None), ("b.txt", {"page": 2})]


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.exe", "application/x-msdownload"),
        ("a.exe", "application/octet-stream"),
        ("noname", ""),
        ("a.png", "text/foo"),
        ("a.png", "application/pdf"),
        ("a.pdf", "image/png"),
        ("a.txt", "video/mp4"),
        ("a.mp3", "image/gif"),
    ],
)
async def test_any_other_file_is_refused_by_its_name_before_anything_runs(api, name, content_type):
    files = [("files", ("ok.png", b"1", "image/png")), ("files", (name, b"x", content_type))]
    answer = await api.client.post(RUNS, data={"message": "look"}, files=files)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "UNSUPPORTED_FILE_TYPE")
    assert answer.json()["detail"].startswith(f"Unsupported file type: {name} (")
    assert api.engine_inputs == []


async def test_an_empty_file_is_refused_and_not_dropped(api):
    answer = await api.client.post(RUNS, data={"message": "look"}, files=[("files", ("a.png", b"", "image/png"))])
    assert (answer.status_code, answer.json()["detail"]) == (400, "Empty file: a.png")


async def test_a_workflow_takes_no_files(api):
    files = [("files", ("a.png", b"1", "image/png"))]
    answer = await api.client.post("/workflows/story-workflow/runs", data={"message": "look"}, files=files)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "body",
    [
        {"files": {"message": (None, "look"), "files": (None, "notes.txt")}},
        {"data": {"message": "look", "files": "notes.txt"}},
        {"json": {"message": "look", "files": [{"content": "QQ==", "filename": "notes.txt"}]}},
    ],
    ids=["multipart", "urlencoded", "json"],
)
async def test_files_that_are_no_uploads_are_refused(api, body):
    answer = await api.client.post(RUNS, **body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "files")
    assert api.engine_inputs == []


@pytest.mark.parametrize("metadata", ["{", "{}", "[1]", '[{"a":1}, {"b":2}]', "[" + " " * 8000 + "]"])
async def test_metadata_that_does_not_fit_the_files_is_a_422(api, metadata):
    files = [("files", ("a.png", b"1", "image/png"))]
    answer = await api.client.post(RUNS, data={"message": "look", "files_metadata": metadata}, files=files)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "files_metadata")


async def test_media_objects_arrive_like_files(api):
    encoded = base64.b64encode(BYTES).decode()
    body = {
        "message": "look",
        "images": [{"content": encoded, "mime_type": "image/png", "id": "i1"}],
        "audio": [{"url": "https://example.com/a.wav"}],
        "videos": [{"content": encoded}],
        "input_files": [{"content": "plain text", "mime_type": "text/plain", "filename": "a.txt"}],
    }
    assert (await api.client.post(RUNS, json=body)).status_code == 200
    image, audio, video, text = api.engine_inputs[0].media
    assert (image.kind, image.content, image.id) == ("image", BYTES, "i1")
    assert (audio.kind, audio.content, audio.url) == ("audio", None, "https://example.com/a.wav")
    assert (video.kind, video.content) == ("video", BYTES)
    assert (text.kind, text.content) == ("file", b"plain text")


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"filepath": "/etc/passwd"},
        {"media_reference": {"storage_key": "k"}},
        {"content": "not base64!"},
        {"content": ""},
        {"content": "QQ==", "url": "https://example.com"},
        {"content": "QQ==", "mime_type": 5},
        {"content": "QQ==", "mime_type": "audio/wav"},
        {"content": "<svg/>", "mime_type": "image/svg+xml"},
        {"url": "file:///etc/passwd"},
        {"content": "QQ==", "metadata": []},
        {"content": "QQ==", "detail": 1},
    ],
)
async def test_a_media_object_that_cannot_be_read_is_a_422(api, item):
    answer = await api.client.post(RUNS, json={"message": "look", "images": [item]})
    assert (answer.status_code, answer.json()["errors"][0]["field"].partition(".")[0]) == (422, "images")
    assert api.engine_inputs == []


async def test_what_a_media_object_tells_of_its_medium_is_carried(api):
    body = {
        "message": "look",
        "images": [{"content": "QQ==", "detail": "high", "format": None, "nonsense": 1}],
        "audio": [{"content": "QQ==", "format": "mp3", "duration": 1.5, "sample_rate": 8000}],
        "input_files": [{"content": "QQ==", "name": "report", "format": "pdf", "citations": True}],
    }
    assert (await api.client.post(RUNS, json=body)).status_code == 200
    image, audio, file = api.engine_inputs[0].media
    assert image.details == {"detail": "high"}
    assert audio.details == {"format": "mp3", "duration": 1.5, "sample_rate": 8000}
    assert file.details == {"name": "report", "format": "pdf", "citations": True}


@pytest.mark.parametrize(
    ("field", "detail"),
    [
        ("audio", {"channels": 1.5}),
        ("audio", {"channels": True}),
        ("videos", {"fps": "30"}),
        ("input_files", {"citations": 1}),
    ],
)
async def test_a_detail_of_another_type_is_a_422(api, field, detail):
    answer = await api.client.post(RUNS, json={"message": "look", field: [{"content": "QQ==", **detail}]})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"{field}.0.{next(iter(detail))}")


def test_a_type_that_is_known_decides_over_the_extension():
    assert file_type("image/png", "scan.v2").kind == "image"
    assert file_type(None, "a.pdf").mime_type == "application/pdf"


@pytest.mark.parametrize("mime_type", ["image/vnd.adobe.photoshop", "application/x-msdownload"])
async def test_a_media_object_of_an_unsupported_type_is_refused_like_a_file(api, mime_type):
    for field in ("images", "input_files"):
        body = {"message": "look", field: [{"content": "QQ==", "mime_type": mime_type, "filename": "a.exe"}]}
        answer = await api.client.post(RUNS, json=body)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "UNSUPPORTED_FILE_TYPE")
        assert answer.json()["detail"] == f"Unsupported file type: a.exe ({mime_type})"
    assert api.engine_inputs == []


async def test_a_file_without_a_type_is_base64_or_else_text(api):
    items = [{"content": "QQ==", "id": "1"}, {"content": "plain text", "filename": "a.txt"}]
    assert (await api.client.post(RUNS, json={"message": "look", "input_files": items})).status_code == 200
    assert [media.content for media in api.engine_inputs[0].media] == [b"A", b"plain text"]


async def test_an_alias_of_a_type_reaches_the_engine_under_the_name_it_knows(api):
    item = {"content": "QQ==", "mime_type": "application/x-zip-compressed"}
    assert (await api.client.post(RUNS, json={"message": "look", "input_files": [item]})).status_code == 200
    assert api.engine_inputs[0].media[0].mime_type == "application/zip"


async def test_a_file_input_that_was_left_empty_is_no_file(api):
    part = b'--b\r\nContent-Disposition: form-data; name="files"; filename=""\r\nContent-Type: application/octet-stream'
    body = part + b'\r\n\r\n\r\n--b\r\nContent-Disposition: form-data; name="message"\r\n\r\nhi\r\n--b--\r\n'
    answer = await api.client.post(RUNS, content=body, headers={"content-type": "multipart/form-data; boundary=b"})
    assert answer.status_code == 200, answer.text
    assert api.engine_inputs[0].media == ()


async def test_a_file_in_a_body_that_was_cut_off_is_not_left_out(api):
    part = b'--b\r\nContent-Disposition: form-data; name="message"\r\n\r\nhi\r\n--b\r\n'
    body = part + b'Content-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nhalf of it'
    answer = await api.client.post(RUNS, content=body, headers={"content-type": "multipart/form-data; boundary=b"})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "BAD_REQUEST")
    assert api.engine_inputs == []


INTERNAL = ["http://127.0.0.1:9001/2018-06-01/runtime/invocation/next", "http://169.254.169.254/", "http://2130706433/"]


@pytest.mark.parametrize("field", ["images", "audio", "videos", "input_files"])
@pytest.mark.parametrize("url", [*INTERNAL, "http://[::ffff:127.0.0.1]/", "http://10.0.0.1/", "file:///etc/passwd"])
async def test_a_url_that_leads_inward_is_refused_before_anything_runs(api, field, url):
    media = [{"url": "https://8.8.8.8/a"}, {"url": url}]
    answer = await api.client.post("/agents/assistant/runs", json={"message": "look", field: media})

    assert (answer.status_code, answer.json()["error_code"]) == (422, "VALIDATION_ERROR")
    assert [error["field"] for error in answer.json()["errors"]] == [f"{field}.1.url"]
    assert api.engine_inputs == []


async def test_private_networks_are_allowed_where_the_deployer_says_so(api, monkeypatch):
    monkeypatch.setenv("MEDIA_PRIVATE_HOSTS", "allow")
    post = api.client.post
    private = {"message": "look", "images": [{"url": "http://10.0.0.1/a.png"}]}
    loopback = {"message": "look", "images": [{"url": "http://127.0.0.1/a.png"}]}

    assert (await post("/agents/assistant/runs", json=private)).status_code == 200
    assert (await post("/agents/assistant/runs", json=loopback)).status_code == 422


async def test_a_request_asks_for_no_more_hosts_once_their_time_is_over(api, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_RESOLVING_SECONDS", 0)
    answer = await api.client.post(RUNS, json={"message": "look", "images": [{"url": "https://8.8.8.8/a.png"}]})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "images.0.url")
    assert api.engine_inputs == []
