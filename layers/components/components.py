"""Your agents, teams and workflows: three lists of plain agno objects. Change them, and run again.

``default_model()`` is the demo model, which needs no network, unless ``AGENTOS_MODEL=provider:id`` names another one. A
component may also name its own. ``docs/components.md`` says more.
"""

from agno.agent import Agent
from agno.team import Team
from agno.tools import tool
from agno.workflow import HumanReview, OnReject, Step, StepInput, StepOutput, Workflow

from agentos_lambda import default_model


def add(a: float, b: float) -> float:
    """Add two numbers."""
    return a + b


def count_words(text: str) -> int:
    """Count the words of a text."""
    return len(text.split())


assistant = Agent(
    id="assistant",
    name="Assistant",
    description="Answers questions, and has tools that add numbers and count words.",
    model=default_model(),
    tools=[add, count_words],
    metadata={"quick_prompts": ["add 2 and 3", 'call count_words {"text": "to be or not to be"}', "Hello!"]},
)


@tool(requires_confirmation=True)
def send_letter(to: str, text: str) -> str:
    """Send a letter. Waits until somebody confirms it."""
    return f"sent to {to}: {text}"


@tool(requires_user_input=True, user_input_fields=["date"])
def book_room(room: str, date: str) -> str:
    """Book a room. Waits until the user fills in the date."""
    return f"{room} is booked for {date}"


@tool(external_execution=True)
def measure_temperature(place: str) -> str:
    """Measure the temperature of a place. Waits for the client to measure it: this code never runs."""
    raise NotImplementedError(place)


clerk = Agent(
    id="clerk",
    name="Clerk",
    description="Has tools that wait for a person to confirm, to fill in, or to do something.",
    model=default_model(),
    tools=[send_letter, book_room, measure_temperature],
    metadata={
        "quick_prompts": [
            'call send_letter {"to": "Ada", "text": "Good morning!"}',
            'call book_room {"room": "the library"}',
            'call measure_temperature {"place": "attic"}',
        ]
    },
)

companion = Agent(
    id="companion",
    name="Companion",
    description="Remembers what you said earlier in the session, and what you ask it to, in all sessions.",
    model=default_model(),
    add_history_to_context=True,
    num_history_runs=5,
    enable_agentic_memory=True,
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
    role="Writes down what the researcher finds out.",
    model=default_model(),
)

newsroom = Team(
    id="newsroom",
    name="Newsroom",
    description="A researcher and a writer, led by an editor who assigns the tasks.",
    model=default_model(),
    members=[researcher, writer],
    metadata={"quick_prompts": ["ask researcher: what is a serverless function?", "ask writer: a headline, please"]},
)


@tool(requires_confirmation=True)
def publish(title: str) -> str:
    """Publish an article. Waits until somebody confirms it."""
    return f"{title} is published"


press_office = Team(
    id="press-office",
    name="Press office",
    description="A researcher and a writer, whose editor asks before publishing anything.",
    model=default_model(),
    members=[researcher, writer],
    tools=[publish],
    metadata={"quick_prompts": ['call publish {"title": "Agents without servers"}', "ask writer: a headline, please"]},
)


def sign(step_input: StepInput) -> StepOutput:
    """Sign the text of the previous step."""
    return StepOutput(content=f"{step_input.previous_step_content}\n\nSigned: the workflow")


letter = Workflow(
    id="letter",
    name="Letter",
    description="An agent writes a letter, and a function signs it.",
    steps=[Step(name="write", agent=writer), Step(name="sign", executor=sign)],
    metadata={"quick_prompts": ["a letter to the editor"]},
)


def post(step_input: StepInput) -> StepOutput:
    """Pretend to post the text of the previous step."""
    return StepOutput(content=f"{step_input.previous_step_content}\n\nPosted by the workflow")


newsletter = Workflow(
    id="newsletter",
    name="Newsletter",
    description="An agent writes a draft. When somebody has reviewed it, and perhaps changed it, a function posts it.",
    steps=[
        Step(
            name="draft",
            agent=writer,
            human_review=HumanReview(
                requires_output_review=True,
                output_review_message="May this go out?",
                on_reject=OnReject.retry,
            ),
        ),
        Step(name="post", executor=post),
    ],
    metadata={"quick_prompts": ["a newsletter about serverless agents"]},
)

agents = [assistant, clerk, companion]
teams = [newsroom, press_office]
workflows = [letter, newsletter]
