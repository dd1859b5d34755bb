"""What sam takes from samconfig.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from scripts import samconfig
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


@pytest.mark.parametrize("environment", ["default", "prod"])
def test_sam_deploys_what_was_built_and_never_the_sources(environment: str) -> None:
    assert deployment(environment)["template_file"] == ".aws-sam/build/template.yaml"


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


CONFIG = """
[mine.global.parameters]
stack_name = "mine"
[mine.deploy.parameters]
parameter_overrides = {overrides}
[half.deploy.parameters]
"""


@pytest.mark.parametrize(
    "written",
    ["'WorkerConcurency=50 Model=\"a b\"'", '{Model = "a b", WorkerConcurency = 50}', '["WorkerConcurency=50"]'],
)
def test_a_parameter_with_a_slip_of_the_pen_is_refused_since_sam_would_ignore_it(tmp_path: Path, written: str) -> None:
    (tmp_path / "samconfig.toml").write_text(CONFIG.format(overrides=written))
    with pytest.raises(samconfig.Unusable, match=r"sets WorkerConcurency, .* Did you mean WorkerConcurrency\?"):
        samconfig.check_overrides("mine", source()["Parameters"], root=tmp_path)


@pytest.mark.parametrize("written", ['"JwtAudience=a\\tJwtScopesClaim=b"', '"""\nJwtAudience=a\nJwtScopesClaim=b"""'])
def test_parameters_on_lines_of_their_own_are_refused_since_sam_reads_one(tmp_path: Path, written: str) -> None:
    (tmp_path / "samconfig.toml").write_text(CONFIG.format(overrides=written))
    with pytest.raises(samconfig.Unusable, match="line break"):
        samconfig.check_overrides("mine", source()["Parameters"], root=tmp_path)


@pytest.mark.parametrize(
    ("written", "ignored"),
    [
        ("'AlarmEmail= LogLevel=DEBUG'", "AlarmEmail="),
        ("'JwtVerificationKey=-----BEGIN PUBLIC KEY-----'", "PUBLIC KEY-----"),
        ("""["LogLevel=DEBUG", "JwtAudience='a b'"]""", "b'"),
    ],
)
def test_what_is_no_value_for_sam_is_refused(tmp_path: Path, written: str, ignored: str) -> None:
    (tmp_path / "samconfig.toml").write_text(CONFIG.format(overrides=written))
    with pytest.raises(samconfig.Unusable, match="sam ignores") as told:
        samconfig.check_overrides("mine", source()["Parameters"], root=tmp_path)
    assert ignored in str(told.value)


@pytest.mark.parametrize(
    "written",
    ['\'Model="a=1 B=2" WorkerConcurrency=5 AlarmEmail=""\'', "'file://overrides.yaml'", '{Model = "a=1 B=2"}', "[]"],
)
def test_parameters_of_the_template_are_taken_however_they_are_written(tmp_path: Path, written: str) -> None:
    (tmp_path / "samconfig.toml").write_text(CONFIG.format(overrides=written))
    samconfig.check_overrides("mine", source()["Parameters"], root=tmp_path)
    assert samconfig.override("Model", "mine", root=tmp_path) == ("a=1 B=2" if "Model" in written else "")


def test_an_environment_that_the_file_does_not_have_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "samconfig.toml").write_text(CONFIG.format(overrides="[]"))
    with pytest.raises(samconfig.Unusable, match="no part mien: CONFIG is one of mine, half"):
        samconfig.deployment("mien", root=tmp_path)
