import hashlib

import pytest

from agentos_lambda.engine.arguments import run_arguments
from agentos_lambda.engine.engine import AgnoEngine
from agentos_lambda.runs.model import Media
from tests.engine.playing import media, play, request_of

BYTES = bytes(range(256))
SHA256 = hashlib.sha256(BYTES).hexdigest()


@pytest.mark.parametrize(
    ("kind", "filename", "mime_type"),
    [
        ("image", "photo.png", "image/png"),
        ("audio", "song.mp3", "audio/mpeg"),
        ("video", "film.mp4", "video/mp4"),
        ("file", "paper.pdf", "application/pdf"),
    ],
)
@pytest.mark.parametrize("component", ["agent/assistant", "team/newsroom"])
def test_every_kind_of_file_reaches_the_model_byte_by_byte(
    engine: AgnoEngine, component: str, kind: str, filename: str, mime_type: str
) -> None:
    medium = media(kind, BYTES, filename, mime_type)
    played = play(engine, request_of(component, "what is this?", media=(medium,)))

    assert played.content == f"{kind} {filename}: 256 bytes, SHA-256 {SHA256}"


def test_several_files_of_a_kind_keep_their_order(engine: AgnoEngine) -> None:
    files = tuple(media("file", name.encode(), f"{name}.txt", "text/plain") for name in ("one", "two"))
    played = play(engine, request_of("agent/assistant", "what are these?", media=files))

    assert [line.split(":")[0] for line in played.content.splitlines()] == ["file one.txt", "file two.txt"]


def test_a_file_may_be_elsewhere(engine: AgnoEngine) -> None:
    medium = Media(kind="image", url="https://example.org/photo.png", id="photo")
    played = play(engine, request_of("agent/assistant", "what is this?", media=(medium,)))

    assert played.content == "image photo: at https://example.org/photo.png"


def arguments_of(**more: object) -> dict:
    request = request_of("agent/assistant", "?", **more)
    return run_arguments(request, request.work)


def test_what_is_told_of_a_file_is_passed_on() -> None:
    medium = Media(kind="image", content=b"x", filename="a.PNG", mime_type="image/png", id="i", metadata={"page": 1})
    (image,) = arguments_of(media=(medium,))["images"]

    assert (image.id, image.format, image.mime_type) == ("i", "png", "image/png")
    assert image.metadata == {"filename": "a.PNG", "page": 1}


def test_filters_with_an_operator_become_expressions() -> None:
    expression = {"op": "EQ", "key": "year", "value": 2026}

    filters = arguments_of(knowledge_filters=[expression, {"plain": 1}])["knowledge_filters"]

    assert filters[0].to_dict() == expression
    assert filters[1] == {"plain": 1}


def test_what_was_not_given_is_not_passed_on() -> None:
    arguments = arguments_of(user_id=None)

    assert arguments.keys() == {"input", "run_id", "session_id", "stream", "stream_events"}
