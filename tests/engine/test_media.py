import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import agno
import pytest
from agno.agent import Agent
from agno.models.message import Message
from agno.session.summary import SessionSummaryManager
from agno.team import Team
from agno.workflow import Step, StepInput, StepOutput, Workflow

from agentos_lambda.api.requests import file_types
from agentos_lambda.engine.arguments import run_arguments
from agentos_lambda.engine.components.loader import Components
from agentos_lambda.engine.engine import AgnoEngine
from agentos_lambda.engine.media import MediaRules
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.media.fetcher import Fetched, Fetcher, FetchFailed
from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.model import Media
from tests.engine.playing import engine_of, media, play, request_of, session_after

BYTES = bytes(range(256))
SHA256 = hashlib.sha256(BYTES).hexdigest()


@pytest.mark.parametrize(
    ("kind", "filename", "mime_type"),
    [
        ("image", "photo.png", "image/png"),
        ("audio", "song.mp3", "audio/mpeg"),
        ("video", "film.mp4", "video/mp4"),
        ("file", "paper.pdf", "application/pdf"),
        ("file", "paper.odt", None),
        ("audio", "memo.webm", "audio/webm"),
    ],
)
@pytest.mark.parametrize("component", ["agent/assistant", "team/newsroom"])
def test_every_kind_of_file_reaches_the_model_byte_by_byte(
    engine: AgnoEngine, component: str, kind: str, filename: str, mime_type: str | None
) -> None:
    medium = media(kind, BYTES, filename, mime_type)
    played = play(engine, request_of(component, "what is this?", media=(medium,)))

    assert played.content == f"{kind} {filename}: 256 bytes, SHA-256 {SHA256}"


@pytest.mark.parametrize("extension", sorted(file_types._DOCUMENTS))
def test_a_document_of_every_type_that_uploads_may_have_is_taken(extension: str) -> None:
    found = file_types.file_type(None, f"a.{extension}")
    assert found is not None
    medium = Media(kind=found.kind, content=b"x", filename=f"a.{extension}", mime_type=found.mime_type)
    (file,) = arguments_of(media=(medium,))["files"]

    assert (file.mime_type, file.format) == (found.mime_type, extension)


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


@pytest.mark.parametrize(
    ("kind", "field", "details"),
    [
        ("image", "images", {"format": "webp", "detail": "high"}),
        ("audio", "audio", {"format": "mp3", "sample_rate": 8000, "channels": 2, "transcript": "hm"}),
        ("video", "videos", {"format": "mp4", "duration": 1.5, "width": 640}),
        ("file", "files", {"format": "pdf", "name": "report", "citations": True}),
    ],
)
def test_details_reach_agno_under_their_names(kind: str, field: str, details: dict) -> None:
    (given,) = arguments_of(media=(Media(kind=kind, content=b"x", filename="a.bin", details=details),))[field]

    assert {name: getattr(given, name) for name in details} == details


def test_filters_with_an_operator_become_expressions() -> None:
    expression = {"op": "EQ", "key": "year", "value": 2026}

    filters = arguments_of(knowledge_filters=[expression, {"plain": 1}])["knowledge_filters"]

    assert filters[0].to_dict() == expression
    assert filters[1] == {"plain": 1}


def test_what_was_not_given_is_not_passed_on() -> None:
    arguments = arguments_of(user_id=None)

    assert arguments.keys() == {"input", "run_id", "session_id", "stream", "stream_events", "yield_run_output"}


@dataclass
class Reading(DemoModel):
    """A model that needs bytes, as most adapters of agno do: no subclass counts as one that hands URLs on."""


class OneFile(Fetcher):
    """Knows one URL, and notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__(private=False)
        self.asked: list[str] = []

    async def fetch(self, url: str) -> Fetched:
        self.asked.append(url)
        if url != URL:
            raise FetchFailed("its server answers 404")
        return Fetched(BYTES, "image/png", "photo.png")


URL = "https://example.org/photo.png"


def reading() -> tuple[AgnoEngine, OneFile]:
    fetcher = OneFile()
    agent = Agent(id="reader", name="Reader", model=Reading())
    team = Team(id="team", name="Team", model=DemoModel(), members=[agent])
    step = Step(name="look", executor=look)
    workflow = Workflow(id="workflow", name="Workflow", steps=[step])
    return AgnoEngine(Components(agents=[agent], teams=[team], workflows=[workflow]), fetcher=fetcher), fetcher


def look(step_input: StepInput) -> StepOutput:
    """A component's own code that reads a file by URL."""
    return StepOutput(content=hashlib.sha256(step_input.images[0].get_content_bytes()).hexdigest())


@pytest.mark.parametrize("component", ["agent/reader", "team/team"])
def test_a_model_that_needs_bytes_gets_them_from_our_fetcher(component: str) -> None:
    engine, fetcher = reading()
    played = play(engine, request_of(component, "what is this?", media=(Media(kind="image", url=URL),)))

    assert played.content == f"image photo.png: 256 bytes, SHA-256 {SHA256}"
    assert fetcher.asked == [URL]


def test_a_components_own_code_reads_urls_by_our_fetcher() -> None:
    engine, fetcher = reading()
    played = play(engine, request_of("workflow/workflow", "what is this?", media=(Media(kind="image", url=URL),)))

    assert played.content == SHA256
    assert fetcher.asked == [URL]


@pytest.mark.parametrize("url", ["https://example.org/other.png", "http://127.0.0.1/"])
def test_a_file_that_cannot_be_had_ends_the_run_before_the_model_is_asked(url: str) -> None:
    engine, _ = reading()
    played = play(engine, request_of("agent/reader", "what is this?", media=(Media(kind="image", url=url),)))

    assert played.outcome.status is RunStatus.ERROR
    assert played.outcome.error == "image 1 by URL: its server answers 404"


def test_a_url_in_the_history_is_dropped_for_a_model_that_would_fetch_it() -> None:
    remembering = Agent(id="reader", name="Reader", model=DemoModel(), add_history_to_context=True)
    request = request_of("agent/reader", "look", media=(Media(kind="image", url=URL, id="photo"),))
    session = session_after(play(engine_of(remembering), request), request)
    heard = Hearing()
    forgetful = Agent(id="reader", name="Reader", model=heard, add_history_to_context=True)

    again = request_of("agent/reader", "again", session=session, run_id="run-2")
    assert play(engine_of(forgetful), again).outcome.status is RunStatus.COMPLETED
    assert [message.content for message in heard.messages if message.role == "user"] == ["look", "again"]
    assert not any(message.images for message in heard.messages)


@dataclass
class Hearing(Reading):
    """Keeps what it is told."""

    messages: list[Message] = field(default_factory=list)

    async def ainvoke_stream(self, *more: object, messages: list[Message], **options: object):
        self.messages[:] = messages
        async for answer in super().ainvoke_stream(*more, messages=messages, **options):
            yield answer


ADAPTERS = {
    ("agno.models.openai.chat", "OpenAIChat"): {"image"},
    ("agno.models.openai.responses", "OpenAIResponses"): {"image", "file"},
    ("agno.models.mistral.mistral", "MistralChat"): {"image"},
    ("agno.models.anthropic.claude", "Claude"): {"file"},
    ("agno.models.google.gemini", "Gemini"): {"video", "file"},
    ("agno.models.aws.claude", "Claude"): set(),
    ("agno.models.somebody", "Else"): set(),
}


@pytest.mark.parametrize(("adapter", "kinds"), ADAPTERS.items())
def test_the_adapters_that_hand_urls_on_are_known(adapter: tuple[str, str], kinds: set[str]) -> None:
    module, name = adapter
    model = type(name, (Reading,), {"__module__": module, "__qualname__": name})()
    rules = MediaRules(Agent(id="a", model=model))

    passed = {kind for kind in ("image", "audio", "video", "file") if rules.passed_on(kind, "application/pdf", URL)}
    assert passed == kinds


def test_the_adapters_are_where_the_rules_expect_them() -> None:
    for module, name in [adapter for adapter, kinds in ADAPTERS.items() if kinds]:
        source = Path(agno.__file__).parents[1].joinpath(*module.split(".")).with_suffix(".py")
        assert f"class {name}(" in source.read_text()


def test_a_manager_whose_model_needs_bytes_counts_too() -> None:
    agent = Agent(id="a", model=DemoModel(), session_summary_manager=SessionSummaryManager(model=Reading()))

    assert not MediaRules(agent).passed_on("image", None, URL)
    assert MediaRules(Agent(id="b", model=DemoModel())).passed_on("image", None, URL)
