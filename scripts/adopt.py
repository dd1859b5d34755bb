"""``make adopt NAMES=…``: begin a stack with the tables and the bucket that a deleted one has left behind.

CloudFormation imports them into a stack that has nothing else. ``make deploy`` then adds the rest, as an update.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from scripts.account import Stuck, deployed, explained, session_of
from scripts.samconfig import ROOT, deployment, override

IDENTIFIERS = {"AWS::DynamoDB::Table": "TableName", "AWS::S3::Bucket": "BucketName"}
"""What CloudFormation knows an existing resource by."""
_CHANGE_SET = "adopt"
_ENCRYPTED_BY = "DataKeyArn"
"""How the tables are already. DynamoDB refuses a change to the key that a table has, so the import has to say it."""


class Refused(Exception):
    """The text says why nothing was imported."""


def main(arguments: list[str] | None = None) -> int:
    """Import what is named. Gives the process's exit status: 1 if it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m scripts.adopt", description=__doc__)
    parser.add_argument("names", nargs="*", help="such as RunsTable=agentos-RunsTable-1ABCDEF")
    parser.add_argument("--config-env", default="default", help="environment of samconfig.toml; default: %(default)s")
    options = parser.parse_args(arguments)
    config = deployment(options.config_env)
    try:
        names = names_of(options.names)
        session = session_of(config)
        if deployed(session, config["stack_name"]) is not None:
            raise Refused(f"The stack {config['stack_name']} exists already.")
        key = override(_ENCRYPTED_BY, options.config_env)
        adopt(session.client("cloudformation"), config["stack_name"], names, key)
    except (BotoCoreError, ClientError, WaiterError, Refused, Stuck) as error:
        print(explained(error), file=sys.stderr)
        return 1
    print(f"The stack {config['stack_name']} has them. `make deploy` adds the rest.")
    return 0


def kept() -> dict[str, Any]:
    """The template's resources that outlive their stack and hold its data, by logical id."""
    resources = yaml_parse((ROOT / "template.yaml").read_text())["Resources"]
    return {
        name: each
        for name, each in resources.items()
        if each["Type"] in IDENTIFIERS and each["DeletionPolicy"] == "RetainExceptOnCreate"
    }


def names_of(pairs: Sequence[str]) -> dict[str, str]:
    """Logical id -> name. Raises ``Refused`` unless every kept resource is named."""
    names = dict(pair.partition("=")[::2] for pair in pairs)
    wanted = kept()
    if names.keys() != wanted.keys() or not all(names.values()):
        raise Refused(f"Name each of {', '.join(f'{name}=…' for name in wanted)}. One that is lost is created by hand.")
    return names


def body_of(resources: Mapping[str, Any]) -> dict[str, Any]:
    """The template with these resources only, and what they need.

    Not with every parameter: ``make deploy`` takes the values of an existing stack for what somebody has chosen.
    """
    template = yaml_parse((ROOT / "template.yaml").read_text())
    conditions = _named_in(resources, template["Conditions"])
    parameters = _named_in([resources, conditions], template["Parameters"])
    return {
        "AWSTemplateFormatVersion": template["AWSTemplateFormatVersion"],
        "Parameters": parameters,
        "Conditions": conditions,
        "Resources": resources,
    }


def _named_in(node: Any, declared: Mapping[str, Any]) -> dict[str, Any]:
    text = json.dumps(node)
    return {name: each for name, each in declared.items() if f'"{name}"' in text}


def adopt(client: Any, stack: str, names: Mapping[str, str], key: str) -> None:
    """Make the stack. ``key``: the ARN of the KMS key of the data; empty for none. Raises ``ClientError``,
    ``WaiterError``."""
    resources = kept()
    client.create_change_set(
        StackName=stack,
        ChangeSetName=_CHANGE_SET,
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(body_of(resources)),
        Parameters=[{"ParameterKey": _ENCRYPTED_BY, "ParameterValue": key}],
        ResourcesToImport=[
            {
                "ResourceType": each["Type"],
                "LogicalResourceId": name,
                "ResourceIdentifier": {IDENTIFIERS[each["Type"]]: names[name]},
            }
            for name, each in resources.items()
        ],
    )
    every = {"Delay": 2, "MaxAttempts": 150}
    client.get_waiter("change_set_create_complete").wait(StackName=stack, ChangeSetName=_CHANGE_SET, WaiterConfig=every)
    client.execute_change_set(StackName=stack, ChangeSetName=_CHANGE_SET)
    client.get_waiter("stack_import_complete").wait(StackName=stack, WaiterConfig=every)


if __name__ == "__main__":
    sys.exit(main())
