"""An agent, a team and a workflow that work for some seconds, and note outside what they do.

Each line of the file ``WORK_LOG`` is ``run number process``: what was done, for which run, and in which process. Of a
team, the run is the second word of the message. If that is ``afresh``, each slice is in a process of its own.
"""

import asyncio
import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agno.agent import Agent
from agno.models.message import Message
from agno.models.response import ModelResponse
from agno.run import RunContext
from agno.team import Team
from agno.workflow import Step, StepInput, StepOutput, Workflow

from agentos_lambda import DemoModel
from agentos_lambda.aws.runtime.recycle import recycle_soon

ROUNDS = 12
PACE_SECONDS = 0.35
PROCESS = uuid.uuid4().hex
"""A process that starts over keeps its id, and nothing else."""


async def note(who: str, number: int, *, afresh: bool) -> None:
    await asyncio.sleep(PACE_SECONDS)
    with Path(os.environ["WORK_LOG"]).open("a", encoding="utf-8") as lines:  # noqa: ASYNC230 - one short write
        lines.write(f"{who} {number} {PROCESS}\n")
    if afresh:
        recycle_soon()


@dataclass
class Stepper(DemoModel):
    """Says a word and calls its tool, as often as there are rounds, then says that it is done."""

    tool: str = "work"

    def _reply(self, messages: Sequence[Message]) -> ModelResponse:
        asked = max(place for place, message in enumerate(messages) if message.role == "user")
        number = sum(message.role == "tool" for message in messages[asked:])
        if number >= ROUNDS:
            return ModelResponse(role="assistant", content=f"done {number}")
        word = messages[asked].get_content_string().split()[-1]
        own: dict[str, Any] = {"number": number, "afresh": word == "afresh"}
        if self.tool != "work":
            own = {"member_id": "helper", "task": f"{word} {number}"}
        call = {"name": self.tool, "arguments": json.dumps(own)}
        tools = [{"id": f"call_{number}", "type": "function", "function": call}]
        return ModelResponse(role="assistant", content=f"step {number}. ", tool_calls=tools)

    async def ainvoke(self, *_: Any, messages: list[Message], **__: Any) -> ModelResponse:
        return self._reply(messages)

    async def ainvoke_stream(self, *_: Any, messages: list[Message], **__: Any) -> Any:
        yield self._reply(messages)


async def work(run_context: RunContext, number: int, afresh: bool) -> str:
    """Do some work."""
    await note(run_context.run_id, number, afresh=afresh)
    state = run_context.session_state
    assert state is not None
    state["done"] = [*state.get("done", []), number]
    return f"worked {number}"


class Helper(DemoModel):
    """Notes each task that it gets."""

    async def ainvoke_stream(self, *_: Any, messages: list[Message], **__: Any) -> Any:
        task = messages[-1].get_content_string()
        word, number = task.split()[-2:]
        await note(word, int(number), afresh=word == "afresh")
        yield ModelResponse(role="assistant", content=f"did {task}")


def step(number: int) -> Step:
    async def run(step_input: StepInput, run_context: RunContext) -> StepOutput:
        await note(run_context.run_id, number, afresh="afresh" in str(step_input.input))
        return StepOutput(content=f"{step_input.previous_step_content or step_input.input}>{number}")

    return Step(name=f"step-{number}", executor=run)


DURABLE = {"durable": True}


def worker(component_id: str, **options: Any) -> Agent:
    return Agent(id=component_id, name="Worker", model=Stepper(), tools=[work], **options)


def crew(component_id: str, **options: Any) -> Team:
    helper = Agent(id="helper", name="Helper", model=Helper())
    model = Stepper(tool="delegate_task_to_member")
    return Team(id=component_id, name="Crew", model=model, members=[helper], **options)


def line(component_id: str, **options: Any) -> Workflow:
    return Workflow(id=component_id, name="Line", steps=[step(number) for number in range(ROUNDS)], **options)


agents = [worker("worker"), worker("durable-worker", metadata=DURABLE)]
teams = [crew("crew"), crew("durable-crew", metadata=DURABLE)]
workflows = [line("line"), line("durable-line", metadata=DURABLE)]
