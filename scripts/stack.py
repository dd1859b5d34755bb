"""``python -m scripts.stack url|key``: what a client of the deployed stack needs. Prints it, and nothing else."""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parent.parent
REGION = "us-east-1"
"""Where sam deploys if the environment names no region."""


def main(arguments: list[str] | None = None) -> int:
    """Give the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.stack", description=__doc__)
    parser.add_argument("what", choices=["url", "key"])
    parser.add_argument("--config-env", default="default", help="the part of samconfig.toml that names the stack")
    options = parser.parse_args(arguments)
    session = boto3.Session()
    session = boto3.Session(region_name=session.region_name or REGION)
    try:
        found = _outputs(session, _stack_name(options.config_env))
        print(found["HttpUrl"] if options.what == "url" else _key(session, found["SecurityKeySecret"]))
    except (BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _stack_name(environment: str) -> str:
    config: dict[str, Any] = tomllib.loads((ROOT / "samconfig.toml").read_text())
    name: str = config[environment]["global"]["parameters"]["stack_name"]
    return name


def _outputs(session: Any, stack: str) -> dict[str, str]:
    [found] = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def _key(session: Any, arn: str) -> str:
    text: str = session.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    return text.strip()


if __name__ == "__main__":
    sys.exit(main())
