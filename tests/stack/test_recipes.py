"""What docs/operations.md has one add to the template does what it says, and its pipeline is well-formed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from scripts import adopt
from tests.docs.pages import blocks
from tests.stack.translation import FUNCTIONS, ROOT, translate, translated

PAGE = ROOT / "docs/operations.md"
CHECKOV = ROOT / ".venvs/checkov/bin/checkov"

Stack = dict[str, dict[str, Any]]


def recipe(resource: str) -> dict[str, Any]:
    """The block that has this resource."""
    [found] = [block for block in map(yaml_parse, blocks(PAGE, "yaml")) if resource in block.get("Resources", {})]
    parsed: dict[str, Any] = found
    return parsed


def with_recipe(resource: str) -> Stack:
    """The resources as CloudFormation gets them once the block is part of the template."""
    resources: Stack = translated(recipe(resource))["Resources"]
    return resources


def test_a_vpc_has_every_function_and_their_roles_may_join_it() -> None:
    stack = with_recipe("VpcPolicy")
    for function in FUNCTIONS:
        assert (
            stack[function]["Properties"]["VpcConfig"]["SubnetIds"]
            == recipe("VpcPolicy")["Globals"]["Function"]["VpcConfig"]["SubnetIds"]
        )
    roles = {stack[function]["Properties"]["Role"]["Fn::GetAtt"][0] for function in FUNCTIONS}
    assert {role["Ref"] for role in stack["VpcPolicy"]["Properties"]["Roles"]} == roles


def test_a_waf_stands_before_the_stage() -> None:
    stack = with_recipe("WebAcl")
    association = stack["WebAclAssociation"]["Properties"]
    arn, names = association["ResourceArn"]["Fn::Sub"], stack.keys()
    assert arn.endswith("/restapis/${Api}/stages/${Apiv1Stage}")
    assert {"Api", "Apiv1Stage", association["WebACLArn"]["Fn::GetAtt"][0]} <= names


def test_an_authorizer_sees_every_request_but_a_preflight() -> None:
    definition = with_recipe("GateFunction")["Api"]["Properties"]["Body"]
    for path, methods in definition["paths"].items():
        for method, operation in methods.items():
            guarded = [each for each in operation.get("security", []) if "Gate" in each]
            assert bool(guarded) == (method != "options"), (method, path)


def test_the_page_names_everything_that_a_deleted_stack_leaves() -> None:
    [command] = re.findall(r'make adopt NAMES="([^"]*)"', PAGE.read_text())
    assert [name.rstrip("=…") for name in command.split()] == [*adopt.kept()]


def test_the_drill_restores_every_table_that_is_backed_up() -> None:
    [tables] = re.findall(r'^TABLES="([^"]*)"', PAGE.read_text(), re.MULTILINE)
    backed_up = {name for name, each in translate().items() if "PointInTimeRecoverySpecification" in each["Properties"]}
    assert {f"${name.removesuffix('Table').upper()}_TABLE" for name in backed_up} == set(tables.split())


def test_the_drill_turns_on_what_a_restored_table_lacks_and_an_import_does_not_give() -> None:
    [drill] = [block for block in blocks(PAGE, "sh") if "restore-table-to-point-in-time" in block]
    given = re.findall(r"--([a-z-]+)-specification (\S+)", drill)
    of_template = [each["Properties"] for each in translate().values() if "KeySchema" in each["Properties"]]
    [expiry] = {each["TimeToLiveSpecification"]["AttributeName"] for each in of_template}
    assert given == [
        ("time-to-live", f"Enabled=true,AttributeName={expiry}"),
        ("point-in-time-recovery", "PointInTimeRecoveryEnabled=true"),
    ]


def pipeline() -> dict[str, Any]:
    [found] = [block for block in blocks(PAGE, "yaml") if block.startswith("name: deploy\n")]
    workflow: dict[str, Any] = yaml_parse(found)
    return workflow


def test_the_pipeline_deploys_what_was_tested_and_holds_no_key() -> None:
    jobs = pipeline()["jobs"]
    assert jobs["deploy"]["needs"] in jobs
    assert pipeline()["permissions"] == {"contents": "read"}
    assert jobs["deploy"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert "secrets." not in PAGE.read_text()


def test_the_pipeline_s_scripts_are_shell_and_name_targets_that_there_are(tmp_path: Path) -> None:
    scripts = [step["run"] for job in pipeline()["jobs"].values() for step in job["steps"] if "run" in step]
    targets = set(re.findall(r"^([a-z0-9 -]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    known = {name for line in targets for name in line.split()}
    for script in scripts:
        subprocess.run(["bash", "-n", "-c", script], check=True, cwd=tmp_path)
        assert set(re.findall(r"make (?:-s )?([a-z]+)", script)) <= known


def test_the_pipeline_s_role_is_for_one_environment_of_one_repository() -> None:
    role = recipe("DeployRole")["Resources"]["DeployRole"]["Properties"]
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"].endswith(
        f":environment:{pipeline()['jobs']['deploy']['environment']}"
    )


@pytest.mark.build
def test_checkov_finds_nothing_in_the_pipeline(tmp_path: Path) -> None:
    path = tmp_path / ".github/workflows/deploy.yml"
    path.parent.mkdir(parents=True)
    [text] = [block for block in blocks(PAGE, "yaml") if block.startswith("name: deploy\n")]
    path.write_text(text)
    command = [CHECKOV, "--directory", tmp_path, "--framework", "github_actions", "--compact", "--skip-download"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "Failed checks: 0" in done.stdout
