"""The template, built for this machine and deployed by sam to a cloud of its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from local.sam import build as sam
from scripts.models import Account, arns, models
from tests.cloud import ministack
from tests.e2e import emulator
from tests.e2e.metering import Meter, metered
from tests.providers.server import Provider, served

STACK = "agentos"
"""As samconfig.toml names it."""
PARAMETERS = {
    "AlarmEmail": "ops@example.com",
    "DataKeyArn": "arn:aws:kms:us-east-1:000000000000:key/0b2d6f9e-0000-4000-8000-000000000000",
    "PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess",
    "RolePath": "/agents/",
}
"""What the tests want that a first deployment does not have."""
BEDROCK_COMPONENT = """
from agno.models.aws.bedrock import AwsBedrock

agents.append(Agent(id="nova", model=AwsBedrock(id="amazon.nova-lite-v1:0")))
"""
"""The commonest agent on AWS, beside the samples."""
RELAY_COMPONENT = """
import asyncio


def leg(number):
    async def run(step_input: StepInput) -> StepOutput:
        await asyncio.sleep(2)
        return StepOutput(content=f"{step_input.previous_step_content or step_input.input} {number}")

    return Step(name=f"leg-{number}", executor=run)


workflows.append(Workflow(id="relay", steps=[leg(number) for number in range(15)]))
"""
"""A workflow that takes half a minute."""
WORKER_SECONDS = 60
"""The worker's timeout. Its slices take two thirds of the 40 seconds that are for work: less than the relay takes."""


@dataclass(frozen=True)
class Deployment:
    """A stack that runs."""

    cloud: str
    """URL of the cloud's own services."""
    outputs: Mapping[str, str]
    meter: Meter
    """Between the functions and the cloud."""
    bedrock: Provider
    """What the functions take for Bedrock."""

    @property
    def url(self) -> str:
        """Base URL of the API."""
        return emulator.api_url(self.cloud, self.outputs["HttpUrl"])

    @property
    def key(self) -> str:
        """The security key that the stack has made."""
        secret = self.client("secretsmanager").get_secret_value(SecretId=self.outputs["SecurityKeySecret"])
        key: str = secret["SecretString"]
        return key

    def client(self, service: str, **access: str) -> Any:
        """A boto3 client of the cloud: as its administrator, unless another access is given."""
        access = access or {
            "aws_access_key_id": emulator.ACCESS["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": emulator.ACCESS["AWS_SECRET_ACCESS_KEY"],
        }
        session: Any = boto3.Session(region_name=emulator.ACCESS["AWS_DEFAULT_REGION"])
        return session.client(service, endpoint_url=self.cloud, **access)

    def update(self, **parameters: str) -> None:
        """Deploy again, with these parameters; all others keep their values."""
        cloudformation = self.client("cloudformation")
        [stack] = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        kept = {
            each["ParameterKey"]: {"ParameterKey": each["ParameterKey"], "UsePreviousValue": True}
            for each in stack["Parameters"]
        }
        given = {name: {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()}
        cloudformation.update_stack(
            StackName=STACK,
            UsePreviousTemplate=True,
            Parameters=[*(kept | given).values()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        cloudformation.get_waiter("stack_update_complete").wait(
            StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )

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
        name: str = found["StackResourceDetail"]["PhysicalResourceId"]
        return name


@contextmanager
def deployed(build: Path) -> Iterator[Deployment]:
    """Builds into the folder ``build``, deploys, and runs the stack for as long as the context lasts."""
    parameters = {**emulator.PARAMETERS, **PARAMETERS, "Architecture": sam.architecture(), "LogLevel": "DEBUG"}
    built = asyncio.run(sam.build(build, runtime=emulator.runtime(), parameters=parameters))
    emulator.add_component(built, BEDROCK_COMPONENT + RELAY_COMPONENT)
    parameters |= _models(built)
    with metered() as meter, served() as bedrock, ministack(AUTH="true") as cloud:
        meter.cloud = cloud
        template = emulator.adapt(built, endpoint=meter.url, bedrock=bedrock.url)
        _limit_worker(template)
        _sam(
            *("deploy", "--template-file", str(template), "--stack-name", STACK, *sam.overrides(parameters)),
            *("--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"),
            **emulator.ACCESS,
            AWS_ENDPOINT_URL=cloud,
        )
        cloudformation = Deployment(cloud, {}, meter, bedrock).client("cloudformation")
        [stack] = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        yield Deployment(cloud, {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}, meter, bedrock)


def _limit_worker(template: Path) -> None:
    """Have the worker time out earlier than on AWS."""
    changed = json.loads(template.read_text())
    changed["Resources"]["WorkerFunction"]["Properties"]["Timeout"] = WORKER_SECONDS
    template.write_text(json.dumps(changed))


def _models(built: Path) -> dict[str, str]:
    """The parameters for the Bedrock models that the components name, as ``make deploy`` makes them."""
    manifest = built.with_name("ComponentsLayer") / "python" / "manifest.json"
    direct, profiles = arns(models(manifest), Account("aws", emulator.ACCESS["AWS_DEFAULT_REGION"], "000000000000"))
    return {"BedrockModels": ",".join(direct), "BedrockProfiles": ",".join(profiles)}


def _sam(*arguments: str, **variables: str) -> None:
    done = subprocess.run(
        [sam.SAM, *arguments],
        cwd=emulator.ROOT,
        env={**sam.sam_variables(), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"sam {arguments[0]} failed:\n{done.stdout}\n{done.stderr}")
