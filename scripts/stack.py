"""``python -m scripts.stack url|key``: print what a client of the deployed stack needs, and nothing else."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from scripts.account import explained, session_of
from scripts.samconfig import deployment


class NoOutputs(Exception):
    """The stack has no outputs: its first deployment did not finish."""


def main(arguments: list[str] | None = None) -> int:
    """Print the value. Gives the process's exit status: 1 if it cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m scripts.stack", description=__doc__)
    parser.add_argument("what", choices=["url", "key"])
    parser.add_argument("--config-env", default="default", help="environment of samconfig.toml; default: %(default)s")
    options = parser.parse_args(arguments)
    config = deployment(options.config_env)
    try:
        session = session_of(config)
        found = outputs(session, config["stack_name"])
        print(found["HttpUrl"] if options.what == "url" else _key(session, found["SecurityKeySecret"]))
    except (BotoCoreError, ClientError, NoOutputs) as error:
        print(explained(error), file=sys.stderr)
        return 1
    return 0


def outputs(session: Any, name: str) -> dict[str, str]:
    """The outputs of the stack. Raises ``NoOutputs``, and what boto3 raises."""
    [stack] = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    if not stack.get("Outputs"):
        raise NoOutputs(f"The stack {name} is {stack['StackStatus']}: it has no outputs.")
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _key(session: Any, arn: str) -> str:
    text: str = session.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    return text.strip()


if __name__ == "__main__":
    sys.exit(main())
