"""A file that nothing in a component would get ends the run: no model answers as if there had been none."""

from pathlib import Path
from typing import Any

import agno
import pytest
from agno.agent import Agent
from agno.models.base import Model
from agno.models.openai import OpenAIChat, OpenAIResponses
from agno.team import Team
from agno.tools import Toolkit, tool
from agno.workflow import Step, Workflow

from agentos_lambda.engine.components.media_tools import OF_THE_RUN
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.engine.untaken_media import _LEFT_OUT, untaken
from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.model import Media
from tests.engine.playing import engine_of, play, request_of

FILM, SOUND, PICTURE = (Media(kind=kind, content=b"x") for kind in ("video", "audio", "image"))


def chat() -> Model:
    return OpenAIChat(id="chat", api_key="none")


def responses() -> Model:
    return OpenAIResponses(id="responses", api_key="none")


def agent(model: Model, **options: Any) -> Agent:
    return Agent(id="a", name="a", model=model, **options)


def watch(videos: list) -> str:
    return str(videos)


def name(text: str) -> str:
    return text


@pytest.mark.parametrize("stream", [True, False])
def test_a_run_with_a_film_that_its_model_would_not_get_is_an_error(stream: bool) -> None:
    played = play(engine_of(agent(chat())), request_of("agent/a", "?", media=(PICTURE, FILM), stream=stream))

    assert played.outcome.status is RunStatus.ERROR
    assert played.content == "video 2: agno hands no video to chat"


@pytest.mark.parametrize(
    ("component", "media"),
    [
        (agent(responses()), FILM),
        (agent(responses()), SOUND),
        (agent(chat(), tools=[name]), FILM),
        (Team(id="t", model=chat(), members=[agent(responses())]), FILM),
    ],
)
def test_what_nobody_gets_is_told(component: Agent | Team, media: Media) -> None:
    assert untaken(component, (media,)) is not None


@pytest.mark.parametrize(
    ("component", "media"),
    [
        (agent(chat()), PICTURE),
        (agent(chat()), SOUND),
        (agent(DemoModel()), FILM),
        (agent(chat(), tools=[watch]), FILM),
        (agent(chat(), tools=[tool(watch)]), FILM),
        (agent(chat(), tools=[Toolkit(tools=[watch])]), FILM),
        (agent(chat(), tools=lambda: [watch]), FILM),
        (agent(chat(), pre_hooks=[name]), FILM),
        (agent(chat(), send_media_to_model=False), FILM),
        (Team(id="t", model=chat(), members=[agent(DemoModel())]), FILM),
        (Team(id="t", model=chat(), members=list), FILM),
        (Workflow(id="w", name="w", steps=[Step(name="s", agent=agent(chat()))]), FILM),
    ],
)
def test_what_somebody_may_get_passes(component: Agent | Team | Workflow, media: Media) -> None:
    assert untaken(component, (media,)) is None


@pytest.mark.parametrize(
    ("file", "model", "kinds"),
    [
        ("models/aws/bedrock.py", "aws.bedrock.AwsBedrock", {"audio"}),
        ("models/groq/groq.py", "groq.groq.Groq", {"audio", "video", "file"}),
        ("models/ollama/chat.py", "ollama.chat.Ollama", {"audio", "video", "file"}),
        ("models/openai/chat.py", "openai.chat.OpenAIChat", {"video"}),
        ("models/openai/responses.py", "openai.responses.OpenAIResponses", {"audio", "video"}),
        ("utils/models/claude.py", "anthropic.claude.Claude", {"audio", "video"}),
        ("utils/models/claude.py", "aws.claude.Claude", {"audio", "video"}),
        ("utils/models/mistral.py", "mistral.mistral.MistralChat", {"audio", "video", "file"}),
    ],
)
def test_agnos_adapters_leave_out_what_is_told(file: str, model: str, kinds: set[str]) -> None:
    source = (Path(agno.__file__).parent / file).read_text(encoding="utf-8")

    assert {kind for kind in OF_THE_RUN if f"{kind.title()} input is currently unsupported" in source} == kinds
    assert _LEFT_OUT[f"agno.models.{model}"] == kinds
