"""Files on their way to Bedrock, under the names that it has for them."""

from typing import Any

import pytest
from agno.media import File, Image, Video
from agno.models.aws.bedrock import AwsBedrock
from agno.models.message import Message

from agentos_lambda.api.requests.file_types import file_type
from agentos_lambda.engine.models.adapting import adapt_models
from agentos_lambda.runs.model import Media
from tests.engine.test_media import arguments_of


def sent(*messages: Message) -> list[dict[str, Any]]:
    """The blocks beside the text of what is sent to Bedrock."""
    adapt_models()
    formatted, _ = AwsBedrock(id="amazon.nova-lite-v1:0")._format_messages(list(messages))
    return [block for message in formatted for block in message["content"] if "text" not in block]


def uploaded(filename: str) -> Message:
    found = file_type(None, filename)
    assert found is not None
    media = Media(kind=found.kind, content=b"x", filename=filename, mime_type=found.mime_type)
    fields = {"images", "videos", "files"} & (given := arguments_of(media=(media,))).keys()
    return Message(role="user", content="?", **{name: given[name] for name in fields})


@pytest.mark.parametrize(
    ("filename", "kind", "named"),
    [
        ("photo.jpg", "image", "jpeg"),
        ("photo.JPEG", "image", "jpeg"),
        ("dot.png", "image", "png"),
        ("film.3gp", "video", "three_gp"),
        ("film.mov", "video", "mov"),
        ("paper.pdf", "document", "pdf"),
        ("page.htm", "document", "html"),
        ("notes.yaml", "document", "txt"),
        ("table.xlsx", "document", "xlsx"),
    ],
)
def test_an_upload_has_the_format_that_bedrock_knows(filename: str, kind: str, named: str) -> None:
    (block,) = sent(uploaded(filename))

    assert block[kind]["format"] == named
    assert block[kind]["source"] == {"bytes": b"x"}


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("a.report_2026 (final)[1]-x.pdf", "a report 2026 (final)[1]-x"),
        ("Überschrift.pdf", "berschrift"),
        ("文書.pdf", "document"),
        ("x" * 300 + ".pdf", "x" * 190),
        (None, "document"),
    ],
)
def test_a_document_has_a_name_that_bedrock_takes(filename: str | None, name: str) -> None:
    (block,) = sent(Message(role="user", content="?", files=[File(content=b"x", format="pdf", filename=filename)]))

    assert block["document"]["name"] == name


def test_no_two_documents_of_a_conversation_have_the_same_name() -> None:
    first, second = uploaded("a.pdf"), uploaded("a.txt")

    assert [block["document"]["name"] for block in sent(first, second, first)] == ["a", "a (2)", "a (3)"]


def test_what_a_run_keeps_is_as_it_was_given() -> None:
    given = Message(
        role="user",
        content="?",
        images=[Image(content=b"x", format="jpg")],
        videos=[Video(content=b"x", format="3gp")],
        files=[File(content=b"x", format="pdf", name="the.name")],
    )
    before = given.model_copy(deep=True)
    image, video, document = sent(given)

    assert given == before
    assert (image["image"]["format"], video["video"]["format"]) == ("jpeg", "three_gp")
    assert document["document"]["name"] == "the name"
