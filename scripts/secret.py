"""``python -m scripts.secret set|remove NAME``, ``list``: the variables of the components on AWS.

They are kept in a secret, which the first of them makes. A value comes from standard input or a prompt, and is never
printed.
"""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from agentos_lambda.aws.component_variables import refusal, variables_of
from scripts.account import explained, session_of
from scripts.samconfig import deployment
from scripts.stack import NoOutputs, outputs


class Refused(Exception):
    """The text says why nothing was written."""


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked. Gives the process's exit status: 1 if it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m scripts.secret", description=__doc__)
    parser.add_argument("what", choices=["set", "remove", "list"])
    parser.add_argument("name", nargs="?", default="", help="the variable's name, unless all are listed")
    parser.add_argument("--config-env", default="default", help="environment of samconfig.toml; default: %(default)s")
    options = parser.parse_args(arguments)
    config = deployment(options.config_env)
    try:
        if options.what != "list" and (reason := refusal(options.name)) is not None:
            raise Refused(f"{options.name or 'NAME'}: {reason}.")
        session = session_of(config)
        told = outputs(session, config["stack_name"])
        secret = Secret(session.client("secretsmanager"), told["ComponentsSecret"], told.get("DataKeyArn"))
        _act(secret, options.what, options.name)
    except (BotoCoreError, ClientError, NoOutputs, Refused) as error:
        print(explained(error), file=sys.stderr)
        return 1
    return 0


def _act(secret: Secret, what: str, name: str) -> None:
    before = secret.read()
    variables = dict(before)
    if what == "list":
        print("\n".join(sorted(variables)) or "There are no variables.")
        return
    if what == "set":
        variables[name] = _value(name)
    elif variables.pop(name, None) is None:
        raise Refused(f"There is no variable {name}.")
    if variables == before:
        print(f"{name} has this value already.")
        return
    secret.write(variables)
    print("Written. Functions that run read it within five minutes.")


class Secret:
    """The variables in the stack's secret."""

    def __init__(self, client: Any, arn: str, key: str | None = None) -> None:
        """``arn`` is without the characters that Secrets Manager appends. ``key``: of KMS; None is AWS's own."""
        self._client = client
        self._arn = arn
        self._name = arn.rpartition(":")[2]
        self._key = {"KmsKeyId": key} if key else {}

    def read(self) -> dict[str, str]:
        """Only names and values that are texts. Raises ``Refused`` if somebody has written something else there."""
        try:
            return variables_of(self._client.get_secret_value(SecretId=self._arn).get("SecretString"))
        except self._client.exceptions.ResourceNotFoundException:  # no secret yet, or one without a value
            return {}
        except self._client.exceptions.InvalidRequestException:
            raise Refused(
                f"The secret {self._name} was deleted, and Secrets Manager keeps it for some days. Bring it back: aws "
                f"secretsmanager restore-secret --secret-id {self._name}"
            ) from None
        except ValueError:
            raise Refused(f"The secret {self._arn} is not a JSON object of texts.") from None  # it would quote values

    def write(self, variables: dict[str, str]) -> None:
        """Replace the variables."""
        text = json.dumps(variables)
        try:
            self._client.put_secret_value(SecretId=self._arn, SecretString=text)
        except self._client.exceptions.ResourceNotFoundException:
            described = "Variables of components, as a JSON object. `make secret` writes them."
            self._client.create_secret(Name=self._name, Description=described, SecretString=text, **self._key)


def _value(name: str) -> str:
    value = getpass.getpass(f"{name}: ") if sys.stdin.isatty() else sys.stdin.read()
    value = value.strip()
    if not value:
        raise Refused(f"{name}: the value is empty.")
    return value


if __name__ == "__main__":
    sys.exit(main())
