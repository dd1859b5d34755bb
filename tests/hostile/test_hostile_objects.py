"""Whatever objects a caller sends, in whichever field, nothing but text and uploads reaches a model.

The fields are those of every route and of every WebSocket action.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
from agno.models.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentos_lambda.engine.engine import AgnoEngine
from agentos_lambda.protocol.values import Kind
from tests.api.world import NAMES, Api
from tests.engine.playing import engine_of
from tests.hostile import components, objects
from tests.hostile.components import OWNERS_WORDS, heard
from tests.runs.world import World
from tests.websocket.world import World as SocketWorld

REST = pytest.mark.faults
"""Of what is tried for each kind: it runs through the same code as another one."""

AGENT, TEAM, WORKFLOW = Kind.AGENT, pytest.param(Kind.TEAM, marks=REST), pytest.param(Kind.WORKFLOW, marks=REST)

CONTENT = b"an upload of this request"
EXAMPLES = settings(
    max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

RUN_FIELDS = {
    "message": objects.objects,
    "input": objects.objects,
    "session_state": objects.objects,
    "dependencies": objects.objects,
    "metadata": objects.objects,
    "knowledge_filters": st.one_of(objects.objects, objects.lists),
    "output_schema": objects.objects.map(lambda schema: {**schema, "type": "object"}),
    "images": objects.lists,
    "audio": objects.lists,
    "videos": objects.lists,
    "input_files": objects.lists,
    "additional_data": objects.objects,
    "files": objects.lists,
    "messages": objects.lists,
}
MEDIA_FIELDS = ("images", "audio", "videos", "input_files")
CONTINUE_FIELDS = ("tools", "requirements", "step_requirements")
SOCKET_FIELDS = ("message", "session_state", "dependencies", "metadata", "additional_data", "files", "user_input")


@pytest.fixture(scope="module")
def engine() -> AgnoEngine:
    return engine_of(components.agent(), components.team(), components.workflow(pauses=False))


@pytest.fixture(scope="module")
def pausing() -> AgnoEngine:
    return engine_of(components.agent(), components.team(), components.workflow(pauses=True))


@pytest.fixture(scope="module")
def api(engine: AgnoEngine) -> Api:
    return Api(world=World(engine=engine))


@pytest.fixture(scope="module")
def pausing_api(pausing: AgnoEngine) -> Api:
    return Api(world=World(engine=pausing))


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    heard.clear()
    yield
    heard.clear()


def check(messages: list[Message], *, uploads: tuple[bytes, ...] = ()) -> None:
    """Only text and this request's own files, and nobody but the owner speaks as the system."""
    for message in messages:
        assert message.role in ("system", "user", "assistant", "tool")
        assert message.content is None or isinstance(message.content, str)
        for medium in (
            *(message.images or ()),
            *(message.audio or ()),
            *(message.videos or ()),
            *(message.files or ()),
        ):
            assert medium.filepath is None
            assert medium.url is None
            assert medium.content in uploads
        text = message.content or ""
        assert "AWS_" not in text
        if message.role == "system":
            assert OWNERS_WORDS in text or "<team" in text
            assert objects.MARK not in text
        if message.role in ("system", "user"):
            assert not message.tool_calls


def inline_content(media: list[dict[str, Any]]) -> tuple[bytes, ...]:
    """What the media objects of a request hold themselves, as text or as base64."""
    texts = [medium["content"] for medium in media if isinstance(medium.get("content"), str)]
    return tuple(form for text in texts for form in (text.encode(), base64.b64decode(text + "==")))


async def post(api: Api, path: str, body: dict[str, Any]) -> Any:
    answer = await api.client.post(path, json=body)
    assert answer.status_code < 500, answer.text
    return answer


@pytest.mark.parametrize("name", RUN_FIELDS)
@pytest.mark.parametrize("kind", [AGENT, TEAM, WORKFLOW])
@EXAMPLES
@given(data=st.data())
def test_a_field_of_a_new_run(api: Api, kind: Kind, name: str, data: st.DataObject) -> None:
    body = {"message": "hello", name: data.draw(RUN_FIELDS[name]), "stream": data.draw(st.booleans())}
    if name == "input":
        del body["message"]
    heard.clear()

    anyio.run(post, api, f"/{kind.plural}/{NAMES[kind]}/runs", body)
    check(heard, uploads=inline_content(body[name]) if name in MEDIA_FIELDS else ())


@pytest.mark.parametrize("kind", [AGENT, TEAM])
@EXAMPLES
@given(value=objects.objects)
def test_a_form_with_an_upload(api: Api, kind: Kind, value: dict[str, Any]) -> None:
    heard.clear()

    async def run() -> None:
        form = {"message": json.dumps(value), "files_metadata": json.dumps([value])}
        files = [("files", ("note.txt", CONTENT, "text/plain"))]
        answer = await api.client.post(f"/{kind.plural}/{NAMES[kind]}/runs", data=form, files=files)
        assert answer.status_code == 200, answer.text

    anyio.run(run)
    check(heard, uploads=(CONTENT,))
    assert any(message.files for message in heard)


PAUSING = {
    Kind.AGENT: ['call delete {"what": "it"}', "call send {}", 'call look_up {"what": "it"}'],
    Kind.TEAM: ['call delete {"what": "it"}', 'ask member: call delete {"what": "it"}'],
    Kind.WORKFLOW: ["hello"],
}


@pytest.mark.parametrize("field", CONTINUE_FIELDS)
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        pytest.param(kind, text, marks=[REST] if text != texts[0] else [])
        for kind, texts in PAUSING.items()
        for text in texts
    ],
)
@EXAMPLES
@given(data=st.data())
def test_a_decision_about_a_paused_run(
    pausing_api: Api, kind: Kind, message: str, field: str, data: st.DataObject
) -> None:
    api = pausing_api

    async def run() -> None:
        path = f"/{kind.plural}/{NAMES[kind]}/runs"
        paused = (await post(api, path, {"message": message})).json()
        assert paused["status"] == "PAUSED", paused
        heard.clear()
        decisions = decided(paused, field, lambda: data.draw(objects.objects), lambda: data.draw(objects.values))
        await post(api, f"{path}/{paused['run_id']}/continue", {field: decisions})

    anyio.run(run)
    check(heard)


def decided(paused: Any, field: str, an_object: Callable[[], Any], a_value: Callable[[], Any]) -> list[Any]:
    """Decisions that fit what the run waits for, with hostile objects around and within."""
    if field == "tools":
        tools = paused.get("tools") or []
        return [
            {
                **an_object(),
                "tool_call_id": tool["tool_call_id"],
                "confirmed": True,
                "result": a_value(),
                "tool_args": tool["tool_args"],
                "user_input_schema": [{"name": "to", "value": a_value()}],
            }
            for tool in tools
        ]
    if field == "requirements" and "step_requirements" not in paused:
        return [
            {
                **an_object(),
                "id": each["id"],
                "confirmation": True,
                "external_execution_result": a_value(),
                "tool_execution": {"tool_call_id": each["tool_execution"]["tool_call_id"]},
                "user_input_schema": [{"name": "to", "value": a_value()}],
            }
            for each in paused.get("requirements") or []
        ]
    return [
        {
            **an_object(),
            "step_id": each["step_id"],
            "confirmed": True,
            "edited_output": an_object(),
            "user_input": an_object(),
        }
        for each in paused.get("step_requirements") or []
    ]


@pytest.mark.parametrize("kind", [AGENT, TEAM, WORKFLOW])
@pytest.mark.parametrize("route", ["cancel", "resume"])
@EXAMPLES
@given(value=objects.objects)
def test_the_body_of_a_route_that_executes_nothing(api: Api, kind: Kind, route: str, value: dict[str, Any]) -> None:
    async def run() -> None:
        path = f"/{kind.plural}/{NAMES[kind]}/runs"
        ended = (await post(api, path, {"message": "hello", "stream": False})).json()
        heard.clear()
        await post(api, f"{path}/{ended['run_id']}/{route}", value)

    anyio.run(run)
    assert heard == []


@pytest.mark.parametrize("name", SOCKET_FIELDS)
@EXAMPLES
@given(value=objects.objects)
def test_a_field_of_a_workflow_started_by_websocket(engine: AgnoEngine, name: str, value: dict[str, Any]) -> None:
    world = SocketWorld(engine=engine)
    heard.clear()
    try:
        world.connect()
        world.start(**{name: value})
        anyio.run(world.work)
    finally:
        world.pool.shutdown()
    check(heard)
    assert heard


@pytest.mark.parametrize("action", ["continue-workflow", "reconnect", "cancel-workflow", "authenticate", "ping"])
@EXAMPLES
@given(value=objects.objects, decision=objects.objects)
def test_any_other_action_of_the_websocket(
    pausing: AgnoEngine, action: str, value: dict[str, Any], decision: dict[str, Any]
) -> None:
    world = SocketWorld(engine=pausing)
    try:
        world.connect()
        run_id = world.start()
        anyio.run(world.work)
        record = world.store.get(run_id)
        waiting = world.store.output(record).run["step_requirements"][0]["step_id"]
        heard.clear()
        sent = {**decision, "step_id": waiting, "confirmed": True, "edited_output": decision, "user_input": decision}
        known = {"action": action, "workflow_id": "story-workflow", "run_id": run_id, "step_requirements": [sent]}
        world.send({**value, **known})
        while world.queue.waiting:
            anyio.run(world.work)
    finally:
        world.pool.shutdown()
    check(heard)


def test_every_field_is_tried() -> None:
    """As many as routes and actions have. A new field has to be added here, too."""
    assert len(RUN_FIELDS) * len(Kind) == 42
    assert sum(map(len, PAUSING.values())) * len(CONTINUE_FIELDS) == 18
    assert (len(SOCKET_FIELDS), len(objects.KEYS) > 60) == (7, True)
