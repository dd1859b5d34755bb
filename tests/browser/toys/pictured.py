"""Components for pictures: the samples, one with an answer that looks well, and a workflow with steps at once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import samples  # those of layers/components, which the test puts beside this file
from agno.agent import Agent
from agno.models.message import Message
from agno.models.response import ModelResponse
from agno.workflow import Parallel, Step, StepInput, StepOutput, Workflow

from agentos_lambda import DemoModel

ANSWER = """## A fleet without harbours

Each ship sails **only while somebody is aboard**. That changes three things:

1. Nothing waits in the harbour, so *idle* costs nothing.
2. A storm takes one ship, not the fleet.
3. Who wants a ship asks for it.

| Ship | Crew | Voyages |
|:-----|-----:|--------:|
| Argo | 50   | 1       |
| Fram | 13   | 3       |

```python
def sail(ship: Ship) -> Log:
    return ship.log(wind=7)
```"""


@dataclass
class Sailor(DemoModel):
    """Has one answer."""

    async def ainvoke_stream(self, *_: Any, messages: list[Message], **options: Any) -> AsyncIterator[ModelResponse]:
        yield ModelResponse(role="assistant", content=ANSWER)


def chart(step_input: StepInput) -> StepOutput:
    """Pass the message on."""
    return StepOutput(content=step_input.input)


shipwright = Agent(id="shipwright", name="Shipwright", description="Knows ships.", model=Sailor())
voyage = Workflow(
    id="voyage",
    name="Voyage",
    description="A chart, then two texts at once.",
    steps=[
        Step(name="chart", executor=chart),
        Parallel(
            Step(name="story", agent=Agent(id="teller", name="Teller", model=DemoModel())),
            Step(name="weather", agent=samples.researcher),
            name="texts",
        ),
    ],
)

agents = [*samples.agents, shipwright]
teams = samples.teams
workflows = [*samples.workflows, voyage]
