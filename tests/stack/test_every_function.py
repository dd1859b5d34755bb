"""The template has several lists with an entry for each function. None forgets a function, and all have one order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.stack.alarms import drawn
from tests.stack.expected import BOUNDS, GRANTS, LAYERS, MEMORY, RESERVED, TIMEOUTS, VARIABLES
from tests.stack.translation import FUNCTIONS, HTTP_FUNCTIONS, ROOT, TEMPLATE, source

Stack = dict[str, dict[str, Any]]
Names = tuple[str, ...]


def functions(stack: Stack) -> Names:
    return tuple(name for name, each in stack.items() if each["Type"] == "AWS::Lambda::Function")


def named_for_a_function(suffix: str) -> Callable[[Stack], Names]:
    """The functions whose name a resource has, with another suffix."""

    def found(stack: Stack) -> Names:
        owners = {name.removesuffix("Function") + suffix: name for name in functions(stack)}
        return tuple(owners[name] for name in stack if name in owners)

    return found


def drawn_as(metric: str) -> Callable[[Stack], Names]:
    return lambda stack: tuple(each[3][2:-1] for each in drawn(stack) if each[:2] == ["AWS/Lambda", metric])


def with_a_sample_event(stack: Stack) -> Names:
    events = ROOT / "events"
    return tuple(name for name in functions(stack) if any(events.glob(f"{folder(name)}*.json")))


def with_a_folder(stack: Stack) -> Names:
    return tuple(name for name in functions(stack) if (ROOT / "functions" / folder(name) / "app.py").is_file())


def folder(function: str) -> str:
    return function.removesuffix("Function").lower()


LISTS: dict[str, Callable[[Stack], Names]] = {
    "roles": named_for_a_function("Role"),
    "log groups": named_for_a_function("LogGroup"),
    "dashboard, errors": drawn_as("Errors"),
    "dashboard, throttles": drawn_as("Throttles"),
    "dashboard, environments": drawn_as("ConcurrentExecutions"),
    "sample events": with_a_sample_event,
    "folders": with_a_folder,
}
TABLES = {
    "access": GRANTS,
    "variables": VARIABLES,
    "layers": LAYERS,
    "memory": MEMORY,
    "timeouts": TIMEOUTS,
    "concurrency": BOUNDS,
    "reserved concurrency": RESERVED,
}
"""What the tests of this folder expect of each function."""


@pytest.mark.parametrize("what", LISTS)
def test_a_list_has_every_function_in_the_order_of_the_functions(stack: Stack, what: str) -> None:
    assert LISTS[what](stack) == FUNCTIONS


@pytest.mark.parametrize("what", LISTS)
def test_a_new_function_that_a_list_forgot_is_noticed(stack: Stack, what: str) -> None:
    extended = {"NewFunction": stack["SweeperFunction"], **stack}
    assert LISTS[what](extended) != functions(extended)


@pytest.mark.parametrize("what", TABLES)
def test_what_is_expected_of_a_function_is_written_down_for_every_one(what: str) -> None:
    assert tuple(TABLES[what]) == FUNCTIONS


def test_no_folder_of_functions_lies_outside_the_template() -> None:
    assert {path.parent.name for path in (ROOT / "functions").glob("*/app.py")} == set(map(folder, FUNCTIONS))


def test_permissions_of_the_api_have_the_order_of_its_functions(stack: Stack) -> None:
    allowed = [each["Properties"] for each in stack.values() if each["Type"] == "AWS::Lambda::Permission"]
    by_the_api = [each["FunctionName"] for each in allowed if each["SourceArn"].endswith("${Api}/v1/*")]
    assert tuple(by_the_api) == HTTP_FUNCTIONS


def test_the_order_of_the_template_s_own_functions_is_what_its_head_says() -> None:
    head = "config, control, follow, agents, teams, workflows, WebSocket, worker, sweeper"
    assert head in TEMPLATE.read_text()
    assert tuple(f"{name[0].upper()}{name[1:]}Function" for name in head.split(", ")) == FUNCTIONS
    assert tuple(name for name in source()["Resources"] if name in FUNCTIONS) == FUNCTIONS
