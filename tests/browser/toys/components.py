"""Components for the tests of the page: the samples, and those that do what the samples do not."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import samples  # those of layers/components, which the fixture puts beside this file
from agno.agent import Agent
from agno.media import Image
from agno.models.message import Message
from agno.models.response import ModelResponse
from agno.team import Team
from agno.tools import tool
from agno.tools.function import ToolResult
from agno.workflow import Loop, Parallel, Step, StepInput, StepOutput, Workflow
from agno.workflow.types import HumanReview

from agentos_lambda import DemoModel

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
WORDS_OF_A_BLOCK = 80


@dataclass
class WritingModel(DemoModel):
    """Says what the message is, as it is; or so many words, or thinks first."""

    async def ainvoke_stream(self, *_: Any, messages: list[Message], **options: Any) -> AsyncIterator[ModelResponse]:
        text = messages[-1].get_content_string()
        command, _, rest = text.partition(" ")
        if command == "long":
            for piece in _long(int(rest)):
                await asyncio.sleep(0.001)
                yield ModelResponse(role="assistant", content=piece)
        elif command == "think":
            for word in ("First I count. ", "Then I doubt."):
                yield ModelResponse(role="assistant", reasoning_content=word)
            yield ModelResponse(role="assistant", content=rest)
        else:
            for start in range(0, len(text), 7):
                yield ModelResponse(role="assistant", content=text[start : start + 7])


def _long(words: int) -> list[str]:
    """Paragraphs, lists, tables and code, in pieces of about four words."""
    pieces = []
    for block in range(words // WORDS_OF_A_BLOCK):
        line = [f"word{block}-{number} and *so* on, " for number in range(WORDS_OF_A_BLOCK // 4)]
        match block % 4:
            case 0:
                pieces += [f"## Part {block}\n\n", *line]
            case 1:
                pieces += [f"* {item}\n" for item in line]
            case 2:
                pieces += ["| a | b |\n|---|---|\n", *(f"| {item} | x |\n" for item in line)]
            case 3:
                pieces += ["```python\n", *(f"{item}\n" for item in line), "```"]
        pieces.append("\n\n")
    return [*pieces, "the end"]


def draw(subject: str) -> ToolResult:
    """Draw a picture."""
    return ToolResult(
        content=f"a picture of {subject}", images=[Image(content=DOT, mime_type="image/png", id="drawing")]
    )


@tool(requires_user_input=True, user_input_fields=["colours", "note"])
def paint(subject: str, colours: list[str], note: str | None = None) -> str:
    """Paint a picture."""
    return f"{subject} in {' and '.join(colours)}{note}"


def break_down(reason: str) -> str:
    """Fail."""
    raise ValueError(reason)


mirror = Agent(id="mirror", name="Mirror", description="Says what you say.", model=WritingModel())
wordy = Agent(id="wordy", name="Name" * 20, description="w" * 200, model=DemoModel())
painter = Agent(id="painter", name="Painter", model=DemoModel(), tools=[draw, paint, break_down])
evil = Agent(
    id="evil", name='<img src=x onerror="alert(1)">', description="<script>alert(1)</script>", model=DemoModel()
)


def count(step_input: StepInput) -> StepOutput:
    """Count the words of the message."""
    return StepOutput(content=f"{len(str(step_input.input).split())} words")


def fail(step_input: StepInput) -> StepOutput:
    raise ValueError("no ink")


review = Workflow(
    id="review",
    name="Review",
    description="Two steps at once, then a loop.",
    steps=[
        Parallel(Step(name="summary", agent=samples.writer), Step(name="count", executor=count), name="read"),
        Loop(steps=[Step(name="polish", agent=samples.writer)], max_iterations=2, name="rounds"),
    ],
)
risky = Workflow(
    id="risky",
    name="Risky",
    steps=[Step(name="print", executor=fail, max_retries=0, human_review=HumanReview(on_error="pause"))],
)
broken = Workflow(id="broken", name="Broken", steps=[Step(name="print", executor=fail, max_retries=0)])
desk = Team(
    id="desk",
    name="Desk",
    description="A team with a team in it.",
    model=DemoModel(),
    members=[samples.newsroom, samples.clerk],
)

agents = [*samples.agents, mirror, wordy, painter, evil]
teams = [*samples.teams, desk]
workflows = [*samples.workflows, review, risky, broken]
