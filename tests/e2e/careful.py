# Added to the sample components of a deployment under test: an agent that asks before it acts.
from agno.agent import Agent as _Agent
from agno.tools import tool as _tool


@_tool(requires_confirmation=True)
def delete(what: str) -> str:
    """Delete something."""
    return f"deleted {what}"


agents.append(_Agent(id="careful", name="Careful", model=default_model(), tools=[delete]))  # noqa: F821
