"""What the routes answer: types for mypy, from which the API document is made at build time.

Imported for type checking only, so that no function pays for them at its start. What agno itself makes is described
where it is stable.
"""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import ConfigDict, Field, WithJsonSchema, with_config
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from agentos_lambda.identity.authority import AuthMode
from agentos_lambda.protocol.values import Json, JsonObject, RunStatus

ObjectOrNull = Annotated[JsonObject | None, WithJsonSchema({"type": ["object", "null"]})]
WebSocketUrl = Annotated[str | None, WithJsonSchema({"type": ["string", "null"]})]
Count = Annotated[int, Field(ge=0)]
DateTime = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Content = Annotated[Json, Field(description="The answer: text, or an object; of a run that failed, what went wrong")]
Tools = Annotated[list[JsonObject], Field(description="The tool calls; of a paused run those that wait for a decision")]
Pending = Annotated[list[JsonObject], Field(description="What a paused run waits for")]

closed = with_config(ConfigDict(extra="ignore"))


@with_config(ConfigDict(extra="allow"))
class Open(TypedDict):
    """Has more fields than are described. The types of its fields say for themselves whether they have."""


class Error(TypedDict):
    detail: Annotated[str, Field(description="What is wrong, in a sentence")]
    error_code: Annotated[str, Field(description="What is wrong, for a program", examples=["NOT_FOUND"])]


class FieldError(TypedDict):
    field: str
    message: str


class InvalidFields(Error):
    errors: list[FieldError]


class Home(TypedDict):
    name: str
    version: str
    health: str
    info: str
    docs: str
    chat: str


class Health(TypedDict):
    status: Literal["ok"]
    instantiated_at: Annotated[DateTime, Field(description="When the process that answers began")]


class Info(TypedDict):
    os_id: str
    name: str
    os_version: str
    agno_version: str
    agent_count: Count
    team_count: Count
    workflow_count: Count
    mcp: JsonObject
    auth_mode: AuthMode
    user_isolation: bool
    websocket_url: Annotated[WebSocketUrl, Field(description="Where workflows can be followed by WebSocket")]


@closed
class Model(TypedDict):
    id: str
    provider: str


@closed
class Chat(TypedDict):
    quick_prompts: Annotated[dict[str, list[str]], Field(description="What may be asked of a component, by its id")]


class Config(Open):
    os_id: str
    description: NotRequired[str]
    available_models: list[Model]
    chat: Chat
    agents: list[JsonObject]
    teams: list[JsonObject]
    workflows: list[JsonObject]
    interfaces: list[JsonObject]
    company: Json


class ComponentEntry(Open):
    id: str
    name: str
    description: NotRequired[str]
    metadata: NotRequired[JsonObject]


class Agent(ComponentEntry):
    """A model with instructions and tools."""


class Team(ComponentEntry):
    """Several agents, led by one model that hands out the tasks."""


class Workflow(ComponentEntry):
    """Steps in a given order: agents, teams, functions."""


class Run(Open):
    run_id: str
    session_id: str
    user_id: NotRequired[str]
    status: RunStatus
    content: NotRequired[Content]
    content_type: NotRequired[str]
    created_at: NotRequired[Annotated[int, Field(description="Seconds since 1970")]]
    metadata: NotRequired[JsonObject]
    metrics: NotRequired[JsonObject]


class ModelRun(Run):
    model: NotRequired[str]
    model_provider: NotRequired[str]
    session_state: NotRequired[JsonObject]
    messages: NotRequired[Annotated[list[JsonObject], Field(description="What went to and came from the model")]]
    tools: NotRequired[Tools]
    requirements: NotRequired[Pending]
    input: NotRequired[JsonObject]


class AgentRun(ModelRun):
    """As agno gives it. Fields without a value are left out."""

    agent_id: str
    agent_name: NotRequired[str]


class TeamRun(ModelRun):
    """As agno gives it. Fields without a value are left out."""

    team_id: str
    team_name: NotRequired[str]
    member_responses: NotRequired[list[JsonObject]]


class WorkflowRun(Run):
    """As agno gives it. Fields without a value are left out."""

    workflow_id: str
    workflow_name: NotRequired[str]
    input: NotRequired[Annotated[Json, Field(description="What the workflow was given: text, or an object")]]
    step_results: NotRequired[list[JsonObject]]
    step_executor_runs: NotRequired[list[JsonObject]]
    step_requirements: NotRequired[Pending]


class RunItem(Open):
    """A run in a list. Every field is there, null or empty where it has no value."""

    run_id: str
    status: RunStatus
    created_at: DateTime
    run_input: str
    run_response_format: NotRequired[Literal["text", "json"]]
    input_media: NotRequired[dict[str, list[Json]]]
    content: Json
    events: Annotated[list[JsonObject], Field(description="Its last one, without content; resume sends them all")]
    truncated: NotRequired[Annotated[Literal[True], Field(description="The run is not shown whole: it did not fit")]]
    whole: NotRequired[Annotated[str, Field(description="Where a truncated run is whole")]]


class QueuedRun(TypedDict):
    run_id: str
    session_id: str
    status: RunStatus


class Cancellation(TypedDict):
    run_id: str
    status: RunStatus
    cancel_requested: Annotated[bool, Field(description="False if the run had ended before")]


class SessionItem(TypedDict):
    """A session in a list. Fields without a value are left out."""

    session_id: str
    session_name: Annotated[str, Field(description="Its name, else the start of its first message")]
    session_state: NotRequired[JsonObject]
    created_at: DateTime
    updated_at: DateTime
    session_type: Literal["agent", "team", "workflow"]
    user_id: NotRequired[str]
    agent_id: NotRequired[str]
    team_id: NotRequired[str]
    workflow_id: NotRequired[str]
    session_summary: NotRequired[JsonObject]
    metrics: NotRequired[JsonObject]
    total_tokens: NotRequired[int]
    metadata: NotRequired[JsonObject]


class PageInfo(TypedDict):
    page: int
    limit: int
    total_pages: Count
    total_count: Count
    search_time_ms: Annotated[float, Field(description="Always 0")]


class SessionList(TypedDict):
    data: list[SessionItem]
    meta: PageInfo


class SessionDetail(Open):
    """A session in the shape of its kind, or of the kind that was asked for."""

    session_id: str
    session_name: str
    user_id: NotRequired[
        Annotated[str | None, WithJsonSchema({"type": ["string", "null"], "description": "Its owner"})]
    ]
    session_state: NotRequired[ObjectOrNull]
    metadata: NotRequired[ObjectOrNull]
    chat_history: NotRequired[list[JsonObject]]
    created_at: DateTime
    updated_at: DateTime


class RunPreview(TypedDict):
    """A run in short. Fields without a value are left out."""

    run_id: str
    parent_run_id: NotRequired[Annotated[str, Field(description="The team's run that it worked for")]]
    agent_id: NotRequired[str]
    team_id: NotRequired[str]
    workflow_id: NotRequired[str]
    user_id: NotRequired[str]
    status: RunStatus
    run_input: NotRequired[Annotated[str, Field(description="At most 280 characters")]]
    content_preview: NotRequired[Annotated[str, Field(description="At most 280 characters")]]
    created_at: DateTime


class Memory(TypedDict):
    """Something remembered of a user."""

    memory_id: str
    memory: Annotated[str, Field(description="Its text")]
    topics: list[str] | None
    agent_id: Annotated[str | None, Field(description="The agent that has made it")]
    team_id: Annotated[str | None, Field(description="The team that has made it")]
    user_id: str
    updated_at: DateTime


class MemoryPage(TypedDict):
    data: list[Memory]
    meta: PageInfo


class OptimizedMemories(TypedDict):
    """What has become of the memories of a user."""

    memories: Annotated[list[Memory], Field(description="The summary")]
    memories_before: Count
    memories_after: Count
    tokens_before: Count
    tokens_after: Count
    tokens_saved: Count
    reduction_percentage: float


class MemoryStats(TypedDict):
    user_id: str
    total_memories: Count
    last_memory_updated_at: DateTime


class MemoryStatsPage(TypedDict):
    data: list[MemoryStats]
    meta: PageInfo
