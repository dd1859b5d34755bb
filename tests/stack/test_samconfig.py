"""What sam takes from samconfig.toml."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from tests.stack.translation import ROOT, source, translate


def deployment(environment: str) -> dict[str, Any]:
    config: dict[str, Any] = tomllib.loads((ROOT / "samconfig.toml").read_text())[environment]
    return config["global"]["parameters"] | config["deploy"]["parameters"]


def overrides(environment: str) -> dict[str, str]:
    pairs = deployment(environment).get("parameter_overrides", "").split()
    return dict(pair.split("=", 1) for pair in pairs)


@pytest.mark.parametrize("environment", ["default", "prod"])
def test_an_environment_sets_only_parameters_that_there_are(environment: str) -> None:
    assert overrides(environment).keys() <= source()["Parameters"].keys()


@pytest.mark.parametrize("environment", ["default", "prod"])
def test_deploying_asks_for_no_right_to_name_roles(environment: str) -> None:
    assert deployment(environment)["capabilities"] == "CAPABILITY_IAM"
    assert all("RoleName" not in resource["Properties"] for resource in translate().values())


def test_production_is_a_stack_of_its_own_that_asks_first_and_keeps_its_tables() -> None:
    assert deployment("prod")["stack_name"] != deployment("default")["stack_name"]
    assert deployment("prod")["confirm_changeset"] is True
    assert overrides("prod")["DeletionProtection"] == "true"


@pytest.mark.parametrize("environment", ["default", "prod"])
def test_what_a_stack_has_can_be_found_by_application_and_environment(environment: str) -> None:
    tags = dict(pair.split("=") for pair in deployment(environment)["tags"].split())
    assert tags.keys() == {"application", "environment"}


def test_production_does_not_move_with_the_region_of_a_shell() -> None:
    assert deployment("prod")["region"]
    assert "region" not in deployment("default")
