"""Your agents, teams and workflows: three lists of plain agno objects. Change them, and run again.

The model is the demo model, which needs no network (what it understands: ``agentos_lambda.engine.demo_model``), unless
``AGENTOS_MODEL=provider:id`` names another. A component may also name its own.
"""

from agno.agent import Agent
from agno.team import Team
from agno.workflow import Step, StepInput, StepOutput, Workflow

from agentos_lambda.engine.models import default_model


def add(a: float, b: float) -> float:
    """Add two numbers."""
    return a + b


def count_words(text: str) -> int:
    """Count the words of a text."""
    return len(text.split())


assistant = Agent(
    id="assistant",
    name="Assistant",
    description="Answers questions, and has tools to add numbers and to count words.",
    model=default_model(),
    tools=[add, count_words],
    metadata={"quick_prompts": ["add 2 and 3", 'call count_words {"text": "to be or not to be"}', "Hello!"]},
)

companion = Agent(
    id="companion",
    name="Companion",
    description="Remembers what was said earlier in the session.",
    model=default_model(),
    add_history_to_context=True,
    num_history_runs=5,
    metadata={"quick_prompts": ["My name is Ada.", "what did I say?"]},
)

researcher = Agent(
    id="researcher",
    name="Researcher",
    role="Finds out what is known about a subject.",
    model=default_model(),
)

writer = Agent(
    id="writer",
    name="Writer",
    role="Puts into words what was found out.",
    model=default_model(),
)

newsroom = Team(
    id="newsroom",
    name="Newsroom",
    description="A researcher and a writer, led by an editor who hands out the tasks.",
    model=default_model(),
    members=[researcher, writer],
    metadata={"quick_prompts": ["ask researcher: what is a serverless function?", "ask writer: a headline, please"]},
)


def sign(step_input: StepInput) -> StepOutput:
    """Add a signature to what the step before has written."""
    return StepOutput(content=f"{step_input.previous_step_content}\n\nSigned: the workflow")


letter = Workflow(
    id="letter",
    name="Letter",
    description="An agent writes a letter, a function signs it.",
    steps=[Step(name="write", agent=writer), Step(name="sign", executor=sign)],
    metadata={"quick_prompts": ["a letter to the editor"]},
)

agents = [assistant, companion]
teams = [newsroom]
workflows = [letter]
