"""``python -m scripts.deploy``: ``sam deploy`` for what was built: processor, Python, and the models of the components.

The build takes processor and Python from the template's defaults, and finds the models. In an existing stack sam keeps
the value of a parameter that is not named, so these are always named.

A first deployment that fails is rolled back, and a protected table cannot be deleted. So it is made without protection,
which a second step adds.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoRegionError
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from scripts.account import Stack, Stuck, deployed, explained, log_role, session_of
from scripts.limits import Concurrency, TooMuchReserved, limit_of, what_follows
from scripts.models import MANIFEST, Account, arns, bedrock, is_profile, models
from scripts.samconfig import ROOT, check_overrides, deployment, override, override_texts

BUILT_FOR = ("Architecture", "Runtime")
"""Parameters that the build reads."""
UNPROTECTED = "DeletionProtection=false"
KEEPS_LOG_ROLE = "AccessLogs=use-role"


def main() -> None:
    """Replace this process by ``sam deploy``. The first of two steps is a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m scripts.deploy", description=__doc__)
    parser.add_argument("--config-env", default="default", help="environment of samconfig.toml; default: %(default)s")
    environment: str = parser.parse_args().config_env
    parameters = yaml_parse((ROOT / "template.yaml").read_text())["Parameters"]
    config = deployment(environment)
    check_overrides(environment, parameters)
    if not MANIFEST.is_file():
        sys.exit("Nothing is built: `make deploy` builds, then deploys.")
    try:
        named = model_parameters(models(MANIFEST), config)
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"The roles for the models of the components cannot be made: {explained(error)}")
    try:
        session = session_of(config)
        stack = deployed(session, config["stack_name"])
        kept = kept_log_role(session, stack, override("AccessLogs", environment), parameters["AccessLogs"]["Default"])
    except Stuck as stuck:
        sys.exit(str(stuck))
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"The account cannot be asked what it has: {explained(error)}")
    given = [*overrides(config.get("parameter_overrides"), parameters), *named, *kept]
    tell_limits(environment, session, parameters)
    command = [str(Path(sys.executable).with_name("sam")), "deploy", "--config-env", environment]
    if stack is None and override("DeletionProtection", environment) == "true":
        print("The first deployment is made without deletion protection. A second step adds it.", file=sys.stderr)
        first = subprocess.run([*command, "--parameter-overrides", *given, UNPROTECTED], check=False)
        if first.returncode != 0:
            sys.exit(first.returncode)
        # sam succeeds as well if somebody did not confirm the change set.
        if not _is_there(session, config["stack_name"]):
            sys.exit("The first step was not deployed, so there is no second one.")
        command.append("--no-confirm-changeset")
    os.execv(command[0], [*command, "--parameter-overrides", *given])  # noqa: S606


def _is_there(session: Any, name: str) -> bool:
    try:
        return deployed(session, name) is not None
    except (Stuck, BotoCoreError, ClientError) as error:
        sys.exit(f"The second step, which adds deletion protection, is left out: {error}")


def kept_log_role(session: Any, stack: Stack | None, configured: str, default: str) -> list[str]:
    """The parameter that leaves the account's role of API Gateway alone, if the deployment would replace it.

    Whoever sits at a terminal may let it be replaced. Raises ``BotoCoreError``, ``ClientError``.
    """
    before = stack.parameters.get("AccessLogs") if stack is not None else None
    if (configured or before or default) != "set-role" or before == "set-role":
        return []
    role = log_role(session)
    if role is None:
        return []
    print(f"API Gateway writes the logs of all APIs of this account and region with {role}.", file=sys.stderr)
    if sys.stdin.isatty() and input("Replace it by a role of this stack? [y/N] ").strip().lower() == "y":
        return []
    print("It stays, and this stack uses it: AccessLogs=use-role.", file=sys.stderr)
    return [KEEPS_LOG_ROLE]


def overrides(configured: Any, parameters: Mapping[str, Any]) -> list[str]:
    """The values of ``--parameter-overrides``: first those of samconfig.toml, then the target, which overrides them."""
    return [*override_texts(configured), *(f"{name}={parameters[name]['Default']}" for name in BUILT_FOR)]


def model_parameters(found: Sequence[Mapping[str, Any]], config: Mapping[str, Any]) -> list[str]:
    """The parameters that allow the Bedrock models of the components. AWS is asked only if there are some.

    Raises ``BotoCoreError`` or ``ClientError`` if the region, or the account that a profile belongs to, is not known.
    """
    asked = bedrock(found)
    direct, profiles = arns(asked, _account(asked, config)) if asked else ([], [])
    return [f'BedrockModels="{",".join(direct)}"', f'BedrockProfiles="{",".join(profiles)}"']


def tell_limits(environment: str, session: Any, parameters: Mapping[str, Any]) -> None:
    """Say what the account's limit means for this deployment. Exits if the deployment cannot succeed."""
    values = {name: override(name, environment) or declared["Default"] for name, declared in parameters.items()}
    try:
        limit = limit_of(session)
    except (BotoCoreError, ClientError) as error:
        print(f"The account's limit of concurrent executions is not known: {error}", file=sys.stderr)
        return
    try:
        print(*what_follows(limit, Concurrency.of(values)), sep="\n", file=sys.stderr)
    except TooMuchReserved as error:
        sys.exit(str(error))


def _account(asked: Sequence[Mapping[str, Any]], config: Mapping[str, Any]) -> Account:
    session = session_of(config)
    if session.region_name is None:
        raise NoRegionError
    needs_id = any(is_profile(model["id"]) and not model["id"].startswith("arn:") for model in asked)
    account_id = session.client("sts").get_caller_identity()["Account"] if needs_id else ""
    return Account(session.get_partition_for_region(session.region_name), session.region_name, account_id)


if __name__ == "__main__":
    main()
