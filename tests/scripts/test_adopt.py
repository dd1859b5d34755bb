"""A stack that begins with what a deleted one has left behind, on a local cloud."""

from __future__ import annotations

import json
import os
from typing import Any

import boto3
import pytest

from scripts import adopt
from scripts.account import deployed
from tests.cloud import tenant
from tests.stack.translation import source

REGION = "eu-north-1"
KEY = f"arn:aws:kms:{REGION}:123456789012:key/0a1b2c3d"
CONFIG = {"stack_name": "mine", "region": REGION}
ITEM = {"session_id": {"S": "s"}, "item": {"S": "HEAD"}, "text": {"S": "what was said"}}


@pytest.fixture
def session(cloud_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in (("ENDPOINT_URL", cloud_url), ("ACCESS_KEY_ID", tenant()), ("SECRET_ACCESS_KEY", "nothing")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setattr(adopt, "deployment", lambda _environment: CONFIG)
    return boto3.Session(region_name=REGION)


def template(*extra: str) -> str:
    """What is kept, and more of the template's resources."""
    body = {key: source()[key] for key in ("Parameters", "Conditions")}
    resources = adopt.kept() | {name: source()["Resources"][name] for name in extra}
    return json.dumps(body | {"Resources": resources})


def resources_of(cloudformation: Any) -> dict[str, str]:
    found = cloudformation.describe_stack_resources(StackName="mine")["StackResources"]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}


def test_data_outlives_its_stack_and_is_had_again_by_another(
    session: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloudformation, dynamodb = session.client("cloudformation"), session.client("dynamodb")
    soon = {"Delay": 1}
    cloudformation.create_stack(StackName="mine", TemplateBody=template("ConnectionsTable"))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="mine", WaiterConfig=soon)
    before = resources_of(cloudformation)
    dynamodb.put_item(TableName=before["SessionsTable"], Item=ITEM)
    cloudformation.delete_stack(StackName="mine")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="mine", WaiterConfig=soon)
    left = {name: before[name] for name in adopt.kept()}
    assert set(dynamodb.list_tables()["TableNames"]) == {name for key, name in left.items() if key != "Bucket"}

    monkeypatch.setattr(adopt, "override", lambda name, _environment: KEY if name == "DataKeyArn" else "")
    assert adopt.main([f"{key}={name}" for key, name in left.items()]) == 0
    assert resources_of(cloudformation) == left
    adopted = deployed(session, "mine")
    assert adopted is not None
    assert adopted.parameters["DataKeyArn"] == KEY
    assert "AccessLogs" not in adopted.parameters  # or `make deploy` would replace the account's role unasked

    cloudformation.update_stack(StackName="mine", TemplateBody=template("ConnectionsTable"))
    cloudformation.get_waiter("stack_update_complete").wait(StackName="mine", WaiterConfig=soon)
    after = resources_of(cloudformation)
    assert {name: after[name] for name in left} == left
    key = {name: ITEM[name] for name in ("session_id", "item")}
    assert dynamodb.get_item(TableName=after["SessionsTable"], Key=key)["Item"] == ITEM

    assert adopt.main([f"{key}={name}" for key, name in left.items()]) == 1
    assert "exists already" in capsys.readouterr().err


@pytest.mark.usefixtures("session")
def test_what_is_left_out_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert adopt.main(["RunsTable=agentos-RunsTable-1ABC"]) == 1
    told = capsys.readouterr().err
    assert all(f"{name}=" in told for name in adopt.kept())
