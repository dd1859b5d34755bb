"""Files on the running stack: the demo model tells of each its kind, size and SHA-256, as it got them."""

import base64
import hashlib
import json

import httpx
import pytest

from agentos_lambda.protocol.values import Kind
from tests.contract.stack import PATHS

IMAGES = ("png", "jpeg", "jpg", "webp", "gif", "bmp", "tiff", "avif", "heic", "heif")
AUDIO = ("wav", "mp3", "mpeg", "ogg", "mp4", "m4a", "aac", "flac")
VIDEOS = ("x-flv", "quicktime", "mpeg", "mp4", "webm", "wmv", "3gpp")
OFFICE = "application/vnd.openxmlformats-officedocument"
DOCUMENTS = {
    "report.pdf": "application/pdf",
    "table.csv": "text/csv",
    "letter.docx": f"{OFFICE}.wordprocessingml.document",
    "note.txt": "text/plain",
    "data.json": "application/json",
    "slides.pptx": f"{OFFICE}.presentationml.presentation",
    "sheet.xlsx": f"{OFFICE}.spreadsheetml.sheet",
    "old.doc": "application/msword",
    "old.ppt": "application/vnd.ms-powerpoint",
    "old.xls": "application/vnd.ms-excel",
    "mail.msg": "application/vnd.ms-outlook",
    "all.zip": "application/zip",
    "all-2.zip": "application/x-zip-compressed",
    "mail.eml": "message/rfc822",
    "page.html": "text/html",
    "style.css": "text/css",
    "read.md": "text/markdown",
    "tree.xml": "text/xml",
    "tree-2.xml": "application/xml",
    "rich.rtf": "text/rtf",
    "script.js": "text/javascript",
    "script.py": "text/x-python",
}
BY_EXTENSION = {"scan.png": "image", "song.mp3": "audio", "film.mov": "video", "report.pdf": "file", "note.txt": "file"}

KINDS = ("image", "audio", "video", "file")
ALL_BYTES = bytes(range(256)) * 5


def content_of(name: str) -> bytes:
    """Bytes that no text survives, others for each name."""
    return name.encode() + b"\x00\xff\xfe\r\n" + ALL_BYTES


def text_of(name: str) -> bytes:
    return f"{name}: Grüße\r\n".encode()


def line(kind: str, name: str, content: bytes) -> str:
    return f"{kind} {name}: {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}"


def post(client: httpx.Client, files: list, kind: Kind = Kind.AGENT, **fields: str) -> httpx.Response:
    return client.post(PATHS[kind], data={"message": "look", **fields}, files=files)


def check_told(answer: httpx.Response, expected: list[str]) -> None:
    assert answer.status_code == 200, answer.text
    assert answer.json()["content"].splitlines() == expected


@pytest.mark.parametrize("kind", [Kind.AGENT, Kind.TEAM])
@pytest.mark.parametrize(("medium", "subtypes"), [("image", IMAGES), ("audio", AUDIO), ("video", VIDEOS)])
def test_media_of_every_type_arrive_byte_for_byte(client, kind, medium, subtypes):
    files = [(f"{medium}.{subtype}", f"{medium}/{subtype}") for subtype in subtypes]
    answer = post(client, [("files", (name, content_of(name), mime)) for name, mime in files], kind)
    check_told(answer, [line(medium, name, content_of(name)) for name, _ in files])


@pytest.mark.parametrize("kind", [Kind.AGENT, Kind.TEAM])
@pytest.mark.parametrize("make", [content_of, text_of])
def test_documents_of_every_type_arrive_byte_for_byte(client, kind, make):
    files = [("files", (name, make(name), mime)) for name, mime in DOCUMENTS.items()]
    check_told(post(client, files, kind), [line("file", name, make(name)) for name in DOCUMENTS])


def test_a_type_that_tells_nothing_is_told_by_the_extension(client):
    for name, medium in BY_EXTENSION.items():
        answer = post(client, [("files", (name, content_of(name), "application/octet-stream"))])
        check_told(answer, [line(medium, name, content_of(name))])


def test_several_kinds_at_once_with_metadata_streamed_too(client):
    names = {"a.png": "image/png", "b.wav": "audio/wav", "c.mp4": "video/mp4", "d.pdf": "application/pdf"}
    files = [("files", (name, content_of(name), mime)) for name, mime in names.items()]
    metadata = [{"page": 1}, None, {"length": "2 min"}, {"author": "Ada"}]
    expected = [line(kind, name, content_of(name)) for kind, name in zip(KINDS, names, strict=True)]
    answer = post(client, files, files_metadata=json.dumps(metadata))
    check_told(answer, expected)
    [document] = answer.json()["input"]["files"]
    assert document["metadata"] == {"author": "Ada"}
    streamed = post(client, files, stream="true")
    [completed] = [json.loads(row[6:]) for row in streamed.text.splitlines() if '"event":"RunCompleted"' in row]
    assert completed["content"].splitlines() == expected


def test_a_file_of_four_megabytes_fits(client):
    content = content_of("big.pdf") * 3000
    assert len(content) > 3_800_000
    check_told(post(client, [("files", ("big.pdf", content, "application/pdf"))]), [line("file", "big.pdf", content)])


@pytest.mark.parametrize("kind", [Kind.AGENT, Kind.TEAM])
@pytest.mark.parametrize("encoding", ["json", "data"])
def test_media_in_json_fields_arrive_byte_for_byte(client, kind, encoding):
    def medium(name: str, **more: str) -> dict:
        return {"content": base64.b64encode(content_of(name)).decode(), "id": name, **more}

    fields = {
        "images": [medium("i1", mime_type="image/png"), medium("i2")],
        "audio": [medium("a1", mime_type="audio/wav")],
        "videos": [medium("v1")],
        "input_files": [medium("f1", filename="f1.pdf", mime_type="application/pdf")],
    }
    if encoding == "data":
        fields = {name: json.dumps(items) for name, items in fields.items()}
    answer = client.post(PATHS[kind], **{encoding: {"message": "look", **fields}})
    kinds = [("image", "i1"), ("image", "i2"), ("audio", "a1"), ("video", "v1")]
    expected = [line(medium, name, content_of(name)) for medium, name in kinds]
    check_told(answer, [*expected, line("file", "f1.pdf", content_of("f1"))])


def test_a_file_may_have_any_name(client):
    for name in ("Über uns.pdf", "../../etc/passwd.pdf", "noname.pdf" + "x" * 200 + ".pdf"):
        check_told(post(client, [("files", (name, b"%PDF", "application/pdf"))]), [line("file", name, b"%PDF")])


REFUSED = {
    "of an unsupported type": ("a.exe", b"MZ", "application/x-msdownload", 400, "UNSUPPORTED_FILE_TYPE"),
    "of an unsupported extension": ("a.exe", b"MZ", "application/octet-stream", 400, "UNSUPPORTED_FILE_TYPE"),
    "without type or extension": ("noname", b"?", "application/octet-stream", 400, "UNSUPPORTED_FILE_TYPE"),
    "of a type that is no type": ("a.png", b"?", "nonsense", 400, "UNSUPPORTED_FILE_TYPE"),
    "that is misnamed": ("a.png", b"%PDF", "application/pdf", 400, "UNSUPPORTED_FILE_TYPE"),
    "that is empty": ("empty.png", b"", "image/png", 400, "BAD_REQUEST"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("kind", [Kind.AGENT, Kind.TEAM])
def test_a_file_is_refused_by_its_name_before_anything_runs(client, cloud, kind, case):
    name, content, mime, status, code = REFUSED[case]
    before = cloud.keys()
    good = ("files", ("good.png", b"1", "image/png"))
    answer = post(client, [good, ("files", (name, content, mime)), good], kind)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code), answer.text
    assert name in answer.json()["detail"]
    if code == "UNSUPPORTED_FILE_TYPE":
        assert mime in answer.json()["detail"]
    assert cloud.keys() == before


def test_a_workflow_takes_no_uploads(client, cloud):
    before = cloud.keys()
    answer = post(client, [("files", ("a.png", b"1", "image/png"))], Kind.WORKFLOW)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "BAD_REQUEST")
    assert cloud.keys() == before


def test_a_workflow_hands_media_in_json_fields_to_its_steps(client):
    content = base64.b64encode(content_of("i1")).decode()
    answer = client.post(PATHS[Kind.WORKFLOW], json={"message": "look", "images": [{"content": content, "id": "i1"}]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["step_results"][0]["content"] == line("image", "i1", content_of("i1"))


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_too_large_is_told_the_limit(client, cloud, kind):
    before = cloud.keys()
    answer = post(client, [("files", ("huge.pdf", b"x" * 5_000_000, "application/pdf"))], kind)
    assert (answer.status_code, answer.json()["error_code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert "6 MB" in answer.json()["detail"]
    assert cloud.keys() == before


def test_a_file_in_a_field_of_another_name_is_a_file_too(client):
    answer = client.post(
        PATHS[Kind.AGENT], data={"message": "look"}, files=[("document", ("a.txt", b"1", "text/plain"))]
    )
    check_told(answer, [line("file", "a.txt", b"1")])


def test_a_file_of_a_session_is_had_by_a_link_that_needs_no_key(client, fresh_id):
    content = content_of("photo.png")
    answer = post(client, [("files", ("photo.png", content, "image/png"))], session_id=fresh_id, stream="false")
    [image] = answer.json()["input"]["images"]
    path = f"/sessions/{fresh_id}/media/{image['id']}"
    assert client.get(path).content == content
    link = client.get(path, params={"redirect": "true"})
    assert link.status_code == 307
    assert httpx.get(link.headers["location"]).content == content
    assert client.get(path, params={"redirect": "true", "user_id": "somebody else"}).status_code == 404
