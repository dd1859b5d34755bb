"""The API document, for those who make clients of it. That answers are as it says: ``tests/contract``."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from agentos_lambda.protocol.values import Kind, RunStatus
from tests.api.world import NAMES, document

pytestmark = pytest.mark.anyio

DOCUMENT = document()
OPERATIONS = {
    operation["operationId"]: (path, method, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def resolved(value: dict[str, Any]) -> dict[str, Any]:
    """What a reference refers to."""
    while "$ref" in value:
        found: Any = DOCUMENT
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        value = found
    return value


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from references(item)


def check(schema: dict[str, Any], value: object) -> None:
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(value)


def test_every_reference_leads_somewhere_and_every_schema_is_referred_to():
    used = set(references(DOCUMENT))
    for reference in used:
        assert resolved({"$ref": reference})
    assert used == {
        f"#/components/{part}/{name}" for part in ("schemas", "responses") for name in DOCUMENT["components"][part]
    }


def test_every_schema_is_one():
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_operations_and_their_parameters_have_the_names_of_agentos():
    for kind in Kind:
        names = {
            f"get_{kind.plural}",
            f"get_{kind}",
            *(f"{verb}_{kind}_run" for verb in ("create", "get", "cancel", "continue")),
        }
        assert names | {f"list_{kind}_runs", f"resume_{kind}_run_stream"} <= OPERATIONS.keys()
        path, _, operation = OPERATIONS[f"get_{kind}_run"]
        assert path == f"/{kind.plural}/{{{kind}_id}}/runs/{{run_id}}"
        assert [parameter["name"] for parameter in operation["parameters"]] == [
            f"{kind}_id",
            "run_id",
            "session_id",
            "user_id",
        ]
    assert {"get_home", "health_check", "get_info", "get_config", "get_models"} <= OPERATIONS.keys()


def test_every_operation_tells_its_answers_and_every_parameter_what_it_is():
    for path, method, operation in OPERATIONS.values():
        assert all(resolved(answer)["description"] for answer in operation["responses"].values()), (method, path)
        assert all(parameter["description"] for parameter in operation.get("parameters", ())), (method, path)
        assert ("401" in operation["responses"]) == (operation.get("security") != [])


def test_every_example_is_what_its_schema_says():
    answers = [
        answer for _, _, operation in OPERATIONS.values() for answer in map(resolved, operation["responses"].values())
    ]
    bodies = [operation["requestBody"] for _, _, operation in OPERATIONS.values() if "requestBody" in operation]
    assert len(bodies) == 21
    for described in (*answers, *bodies):
        for media_type, content in described.get("content", {}).items():  # a 204 and a redirect have none
            if media_type == "application/json" and "example" in content:
                check(content["schema"], content["example"])
    for body in bodies:
        assert "example" in body["content"]["application/json"]


@pytest.mark.parametrize("kind", list(Kind))
async def test_the_example_of_a_run_runs(api, kind):
    path, method, operation = OPERATIONS[f"create_{kind}_run"]
    body = operation["requestBody"]["content"]["application/json"]["example"]
    answer = await api.client.request(method, path.replace(f"{{{kind}_id}}", NAMES[kind]), json=body)
    assert answer.status_code == 200


def test_statuses_are_all_told():
    assert DOCUMENT["components"]["schemas"]["RunStatus"]["enum"] == [status.value for status in RunStatus]


def test_forms_have_texts_where_json_has_objects():
    form, as_json = (DOCUMENT["components"]["schemas"][name]["properties"] for name in ("RunForm", "RunRequest"))
    assert form.keys() == as_json.keys()
    assert {field["type"] for field in form.values()} == {"string", "boolean"}
    # The WebSocket's URL, of an OS that has none; owner, state and metadata of a session; nobody in a bill; what a
    # service account and its scopes have not, twice each but for the scopes.
    assert json.dumps(DOCUMENT).count('"null"') == 19
