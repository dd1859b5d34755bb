"""The account that is deployed to: how it is reached, whether the stack exists, whose role API Gateway logs with.

``python -m scripts.account`` prints the region, which components may ask for while they are built.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from scripts.samconfig import deployment

_NEVER_MADE = ("REVIEW_IN_PROGRESS",)
"""A change set was made for the first deployment, and nothing of it."""
_STUCK = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")
"""CloudFormation updates none of them.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html"""


class Stuck(Exception):
    """The stack's first deployment, or its deletion, failed."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that was deployed."""

    name: str
    parameters: Mapping[str, str]


def session_of(config: Mapping[str, Any]) -> Any:
    """As in sam deploy: samconfig.toml may name region and profile, otherwise boto3 finds them.

    Raises ``BotoCoreError`` for a profile that does not exist.
    """
    return boto3.Session(region_name=config.get("region"), profile_name=config.get("profile"))


def explained(error: Exception) -> str:
    """The error, and what to do about the ones that everybody meets first."""
    text = str(error)
    if isinstance(error, NoRegionError):
        return f"{text} Set AWS_DEFAULT_REGION, or `region` in samconfig.toml."
    if isinstance(error, NoCredentialsError):
        return f"{text}. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
    if _is_no_stack(error):
        return f"{text}. `make deploy` creates it."
    return text


def _is_no_stack(error: Exception) -> bool:
    return isinstance(error, ClientError) and "does not exist" in str(error) and "Stack" in str(error)


def deployed(session: Any, name: str) -> Stack | None:
    """The stack; None if there is none yet. Raises ``Stuck``, ``BotoCoreError``, ``ClientError``."""
    try:
        [found] = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if _is_no_stack(error):
            return None
        raise
    status = found["StackStatus"]
    if status in _NEVER_MADE:
        return None
    if status in _STUCK:
        raise Stuck(
            f"The stack {name} is {status}. Remove what is left of it first: docs/operations.md, "
            '"A first deployment that failed", has the commands.'
        )
    given = {each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", ())}
    return Stack(name, given)


def log_role(session: Any) -> str | None:
    """The role that API Gateway writes logs with in this account and region; None if it has none.

    Raises ``BotoCoreError``, ``ClientError``.
    """
    role: str | None = session.client("apigateway").get_account().get("cloudwatchRoleArn")
    return role or None


def main(arguments: list[str] | None = None) -> int:
    """Print the region, or an empty line if none is known: a build needs no account. Gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.account", description=__doc__)
    parser.add_argument("--config-env", default="default", help="environment of samconfig.toml; default: %(default)s")
    try:
        region = session_of(deployment(parser.parse_args(arguments).config_env)).region_name
    except BotoCoreError:
        region = None
    print(region or "")
    return 0


if __name__ == "__main__":
    sys.exit(main())
