"""Output schemas of callers: carried out unchanged, held, or refused by name before anything runs."""

import json
from collections.abc import AsyncIterator
from typing import Any

import jsonschema
import pytest
from agno.agent import Agent
from agno.models.message import Message
from agno.models.response import ModelResponse
from agno.team import Team
from agno.tools import tool

from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.output_schema import SchemaRefused, check_schema, mismatch
from agentos_lambda.protocol.values import Json, JsonObject, RunStatus
from tests.engine.playing import Played, continuing, engine_of, play, request_of

streamed = pytest.mark.parametrize("stream", [True, False])


def schema(properties: JsonObject, **more: Any) -> JsonObject:
    return {"type": "object", "properties": properties, "required": list(properties), **more}


def answered(answer: Json, wanted: JsonObject, *, kind: str = "agent", stream: bool = False) -> Played:
    agent = Agent(id="a", name="a", model=DemoModel())
    component = agent if kind == "agent" else Team(id="a", name="a", model=DemoModel(), members=[agent])
    request = request_of(f"{kind}/a", f"It is {json.dumps(answer)}", output_schema=wanted, stream=stream)
    return play(engine_of(component), request)


ANY: JsonObject = {}
CARRIED: list[tuple[JsonObject, JsonObject]] = [
    (dict.fromkeys(("_id", "model_config", "model_dump", "__init__", "class", "root", "a b"), "x"), {}),
    ({"name": None}, {"name": {"type": ["string", "null"]}}),
    (
        {"name": None, "deep": {"none": None, "list": [None]}},
        {"name": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
    ),
    ({"a": {"_b": {"model_dump": 1}}}, {"a": {"type": "object", "properties": {"_b": ANY}}}),
    ({"colour": "red", "size": 3, "tags": ["x"]}, {"colour": {"enum": ["red"]}, "size": {"minimum": 3}}),
]


@streamed
@pytest.mark.parametrize("kind", ["agent", "team"])
@pytest.mark.parametrize(("answer", "properties"), CARRIED)
def test_an_answer_that_fits_is_carried_unchanged(
    answer: JsonObject, properties: JsonObject, kind: str, stream: bool
) -> None:
    wanted = schema({name: properties.get(name, ANY) for name in answer})
    check_schema(wanted)
    played = answered(answer, wanted, kind=kind, stream=stream)

    assert (played.outcome.status, played.content) == (RunStatus.COMPLETED, answer)
    shown = played.events[-1] if stream else played.outcome.answer
    assert shown is not None
    assert shown["content"] == answer


UNFIT: list[tuple[JsonObject, JsonObject, str]] = [
    ({"colour": "blue"}, {"colour": {"enum": ["red"]}}, "colour: 'blue' is not one of ['red']"),
    ({"size": 2}, {"size": {"type": "integer", "minimum": 3}}, "size: 2 is less than the minimum of 3"),
    ({"name": "abcd"}, {"name": {"maxLength": 3}}, "name: 'abcd' is too long"),
    ({"tags": [1]}, {"tags": {"items": {"type": "string"}}}, "tags.0: 1 is not of type 'string'"),
    ({}, {"name": {"type": "string"}}, "it: 'name' is a required property"),
    ({"day": "2026-02-30"}, {"day": {"format": "date"}}, "day: '2026-02-30' is not a 'date'"),
]


@streamed
@pytest.mark.parametrize(("answer", "properties", "reason"), UNFIT)
def test_an_answer_that_does_not_fit_is_an_error_that_says_so(
    answer: JsonObject, properties: JsonObject, reason: str, stream: bool
) -> None:
    played = answered(answer, schema(properties), stream=stream)

    assert played.outcome.status is RunStatus.ERROR
    assert played.content == f"The answer does not fit the output schema: {reason}"
    if stream:
        assert played.names[-1] == "RunError"
        assert "RunCompleted" not in played.names


def test_an_answer_that_is_no_object_is_an_error() -> None:
    agent = Agent(id="a", name="a", model=DemoModel())
    played = play(engine_of(agent), request_of("agent/a", "hello", output_schema=schema({"name": ANY})))

    assert played.outcome.status is RunStatus.ERROR
    assert "is not of type 'object'" in played.content


def doubling(levels: int) -> JsonObject:
    """A short schema that stands for 2 ** levels of them."""
    definitions = {
        f"d{level}": {"anyOf": [{"$ref": f"#/$defs/d{level + 1}"}, {"$ref": f"#/$defs/d{level + 1}"}]}
        for level in range(levels)
    }
    return schema({"a": {"$ref": "#/$defs/d0"}}, **{"$defs": {**definitions, f"d{levels}": {"type": "string"}}})


REFUSED: list[tuple[JsonObject, str]] = [
    ({"type": "object", "properties": []}, "properties: [] is not of type 'object'"),
    (schema({"a": {"type": "weird"}}), "properties.a.type: 'weird' is not valid under any of the given schemas"),
    (schema({"a": {"minimum": "3"}}), "properties.a.minimum: '3' is not of type 'number'"),
    (schema({"a": {"$ref": "https://example.com/a.json"}}), "properties.a.$ref: must refer to a part of the schema"),
    (schema({"a": {"$ref": "#/$defs/none"}}), "properties.a.$ref: there is no #/$defs/none"),
    (schema({"a": {"pattern": "(a+)+$"}}), "properties.a.pattern: is not supported"),
    (schema({"a": {"items": {"$id": "x"}}}), "properties.a.items.$id: is not supported"),
    (schema({"a": {"dependencies": {"b": ["c"]}}}), "properties.a.dependencies: is not supported"),
    (schema({"a": {"type": [{"b": number} for number in range(100)]}}), "type: has over 7 items"),
    (doubling(40), "is too large"),
]


@pytest.mark.parametrize(("wanted", "reason"), REFUSED)
def test_a_schema_that_cannot_be_carried_out_is_refused_by_name(wanted: JsonObject, reason: str) -> None:
    with pytest.raises(SchemaRefused) as refused:
        check_schema(wanted)

    assert str(refused.value) == reason


def test_a_large_schema_is_refused_before_the_check_that_takes_a_millisecond_for_each_part(monkeypatch) -> None:
    monkeypatch.setattr(jsonschema.Draft202012Validator, "check_schema", lambda _: pytest.fail("it was checked"))
    for properties in (dict.fromkeys(map(str, range(10_000)), True), {"a": {"anyOf": [ANY] * 10_000}}):
        with pytest.raises(SchemaRefused, match="is too large"):
            check_schema(schema(properties))


def test_a_schema_may_refer_to_itself() -> None:
    tree = schema({"name": {"type": "string"}, "branches": {"type": "array", "items": {"$ref": "#"}}})
    check_schema(tree)

    assert mismatch({"name": "a", "branches": [{"name": "b", "branches": []}]}, tree) is None
    assert mismatch({"name": "a", "branches": [{"name": 1, "branches": []}]}, tree) == (
        "branches.0.name: 1 is not of type 'string'"
    )


def test_a_property_may_be_called_as_a_keyword_that_is_refused() -> None:
    check_schema(schema({"pattern": {"type": "string"}, "$id": ANY, "dependencies": ANY}))


def test_a_reference_is_read_as_part_of_a_url() -> None:
    wanted = schema({"a": {"$ref": "#/$defs/a%20b~1c"}}, **{"$defs": {"a b/c": {"type": "integer"}}})
    check_schema(wanted)

    assert mismatch({"a": "x"}, wanted) == "a: 'x' is not of type 'integer'"


def test_a_schema_without_an_end_is_an_error_and_no_crash() -> None:
    endless = schema({"a": {"$ref": "#/$defs/a"}}, **{"$defs": {"a": {"$ref": "#/$defs/a"}}})
    check_schema(endless)

    assert mismatch({"a": 1}, endless) == "the schema refers to itself without an end"


FORMATS: list[tuple[str, list[Json], list[Json]]] = [
    ("date", ["2026-02-28", 5], ["2026-02-30", "28.2.2026", ""]),
    (
        "date-time",
        ["2026-02-28T12:00:00Z", "2026-02-28t12:00:00.5+02:00", "2026-02-28 12:00:00z", None],
        ["2026-02-28T12:00:00", "2026-02-28", "2026-02-30T12:00:00Z", "2026-02-28T25:00:00Z", "20260228T120000Z", "x"],
    ),
    ("time", ["12:00:00Z", "23:59:59.999-08:00", []], ["12:00:00", "24:00:00Z", "noon"]),
    ("email", ["ada@example.com"], ["ada"]),
    ("uuid", ["1b4e28ba-2fa1-11d2-883f-0016d3cca427"], ["1b4e28ba"]),
    ("ipv4", ["127.0.0.1"], ["256.0.0.1"]),
    ("ipv6", ["::1"], ["::x"]),
    ("no such format", ["anything"], []),
]


@pytest.mark.parametrize(("name", "fit", "unfit"), FORMATS)
def test_formats_hold(name: str, fit: list[Json], unfit: list[Json]) -> None:
    wanted: JsonObject = {"format": name}

    assert [each for each in fit if mismatch(each, wanted) is not None] == []
    assert [each for each in unfit if mismatch(each, wanted) is None] == []


@tool(requires_confirmation=True)
def ask_first(answer: str) -> str:
    """Wait until somebody confirms it."""
    return answer


class Repeats(DemoModel):
    """Says what its tool gave, if it is asked for JSON."""

    async def ainvoke(self, *_: Any, messages: list[Message], **options: Any) -> ModelResponse:
        response = await super().ainvoke(messages=messages, **options)
        if response.content and options.get("response_format") is not None:
            response.content = messages[-1].get_content_string()
        return response

    async def ainvoke_stream(self, *_: Any, **options: Any) -> AsyncIterator[ModelResponse]:
        yield await self.ainvoke(**options)


@streamed
@pytest.mark.parametrize("kind", ["agent", "team"])
@pytest.mark.parametrize(
    ("answer", "status", "content"),
    [
        ({"size": 3}, RunStatus.COMPLETED, {"size": 3}),
        (
            {"size": 2},
            RunStatus.ERROR,
            "The answer does not fit the output schema: size: 2 is less than the minimum of 3",
        ),
    ],
)
def test_a_run_that_went_on_is_held_against_its_schema(
    answer: JsonObject, status: RunStatus, content: Json, kind: str, stream: bool
) -> None:
    settings: dict[str, Any] = {"id": "a", "name": "a", "model": Repeats(), "tools": [ask_first]}
    component = Agent(**settings) if kind == "agent" else Team(**settings, members=[Agent(name="b", model=Repeats())])
    engine, wanted = engine_of(component), schema({"size": {"minimum": 3}})
    message = f"call ask_first {json.dumps({'answer': json.dumps(answer)})}"
    request = request_of(f"{kind}/a", message, output_schema=wanted, stream=stream)
    paused = play(engine, request)
    assert paused.outcome.status is RunStatus.PAUSED

    run = paused.outcome.output.run
    sent = [{**each, "confirmed": True} for each in run["tools"]]
    decided = {"tools": sent} if kind == "agent" else {"requirements": [decided_requirement(run)]}
    ended = play(engine, continuing(paused, request, **decided))

    assert (ended.outcome.status, ended.content) == (status, content)
    assert "output_schema" not in ended.outcome.output.run


def decided_requirement(run: JsonObject) -> JsonObject:
    (requirement,) = run["requirements"]
    return {**requirement, "confirmation": True}
