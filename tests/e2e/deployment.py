"""The template, built for this machine and deployed by sam to a cloud of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from tests.cloud import ministack
from tests.e2e import emulator
from tests.e2e.metering import Meter, metered

STACK = "agentos"
"""As samconfig.toml names it."""
_SAM = emulator.ROOT / ".venvs/sam/bin/sam"


@dataclass(frozen=True)
class Deployment:
    """A stack that runs."""

    cloud: str
    """URL of the cloud's own services."""
    outputs: Mapping[str, str]
    meter: Meter
    """Between the functions and the cloud."""

    @property
    def url(self) -> str:
        """Base URL of the API."""
        return emulator.api_url(self.cloud, self.outputs["HttpUrl"])

    @property
    def key(self) -> str:
        """The security key that the stack has made."""
        secret = self.client("secretsmanager").get_secret_value(SecretId=self.outputs["SecurityKeySecret"])
        return secret["SecretString"]

    def client(self, service: str, **access: str) -> Any:
        """A boto3 client of the cloud: as its administrator, unless another access is given."""
        access = access or {
            "aws_access_key_id": emulator.ACCESS["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": emulator.ACCESS["AWS_SECRET_ACCESS_KEY"],
        }
        region = emulator.ACCESS["AWS_DEFAULT_REGION"]
        return boto3.client(service, endpoint_url=self.cloud, region_name=region, **access)

    def log(self) -> list[tuple[str, str]]:
        """Everything that was logged: the group, and the message."""
        logs = self.client("logs")
        groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
        pages = (
            (name, page)
            for name in groups
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=name)
        )
        return [(name, event["message"]) for name, page in pages for event in page["events"]]

    def physical(self, logical_id: str) -> str:
        """The name that a resource of the template has got."""
        found = self.client("cloudformation").describe_stack_resource(StackName=STACK, LogicalResourceId=logical_id)
        return found["StackResourceDetail"]["PhysicalResourceId"]


@contextmanager
def deployed(build: Path) -> Iterator[Deployment]:
    """Builds into the folder ``build``, deploys, and runs the stack for as long as the context lasts."""
    target = {"ARCHITECTURE": emulator.architecture(), "RUNTIME": emulator.runtime()}
    parameters = {**emulator.PARAMETERS, "Architecture": target["ARCHITECTURE"], "LogLevel": "DEBUG"}
    overrides = " ".join(f"{name}={value}" for name, value in parameters.items())
    _sam("build", "--build-dir", build, "--parameter-overrides", overrides, **target)
    with metered() as meter, ministack(AUTH="true") as cloud:
        meter.cloud = cloud
        template = emulator.adapt(build / "template.yaml", endpoint=meter.url)
        _sam(
            *("deploy", "--template-file", template, "--stack-name", STACK, "--parameter-overrides", overrides),
            *("--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"),
            **emulator.ACCESS,
            AWS_ENDPOINT_URL=cloud,
        )
        cloudformation = Deployment(cloud, {}, meter).client("cloudformation")
        [stack] = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        yield Deployment(cloud, {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}, meter)


def _sam(*arguments: str | Path, **variables: str) -> None:
    # Without what an outer make hands down, and without an AWS account.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "AWS_"))}
    done = subprocess.run(
        [_SAM, *arguments],
        cwd=emulator.ROOT,
        env={**inherited, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"sam {arguments[0]} failed:\n{done.stdout}\n{done.stderr}")
