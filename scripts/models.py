"""``python -m scripts.models``: the models that the built components name, and what each needs on AWS."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.samconfig import ROOT

MANIFEST = ROOT / ".aws-sam" / "build" / "ComponentsLayer" / "python" / "manifest.json"

_PROFILE = re.compile(r"(us|us-gov|eu|apac|jp|au|ca|global)\.")
"""How the id of an inference profile begins.
https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html"""
_PROFILE_ARN = re.compile(r"arn:[a-z-]+:bedrock:.*:(application-)?inference-profile/")


@dataclass(frozen=True)
class Account:
    """Where the stack is deployed. ``account_id`` may be empty as long as no model is an inference profile."""

    partition: str
    region: str
    account_id: str


def main() -> int:
    """Print the models, and the databases that are not used. Gives the process's exit status."""
    for line in replaced_databases(MANIFEST):
        print(line)
    found = models(MANIFEST)
    if not found:
        print("The components name no model: they all use the stack's own.")
    for model in found:
        print(f"{model['provider']} {model['id']}: {_needs(model)}")
    return 0


def models(manifest: Path) -> list[dict[str, Any]]:
    """``engine.models.needs`` of the components, as the build has written it down."""
    document: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = document["model_needs"]
    return found


def replaced_databases(manifest: Path) -> list[str]:
    """A line for each component that does not run on the database that it brings."""
    lines: list[str] = json.loads(manifest.read_text(encoding="utf-8")).get("replaced_databases", [])
    return lines


def bedrock(found: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that a function's role has to allow."""
    return [model for model in found if model["bedrock"]]


def is_profile(model_id: str) -> bool:
    """Whether the id, or the ARN, is that of an inference profile, which needs the account's id in its ARN."""
    return bool(_PROFILE.match(model_id) or _PROFILE_ARN.match(model_id))


def arns(found: Iterable[Mapping[str, Any]], account: Account) -> tuple[list[str], list[str]]:
    """The ARNs of the Bedrock models, and those of the inference profiles, each once."""
    direct: dict[str, None] = {}
    profiles: dict[str, None] = {}
    for model in bedrock(found):
        (profiles if is_profile(model["id"]) else direct)[_arn(model, account)] = None
    return list(direct), list(profiles)


def _arn(model: Mapping[str, Any], account: Account) -> str:
    model_id: str = model["id"]
    if model_id.startswith("arn:"):
        return model_id
    place = f"arn:{account.partition}:bedrock:{model['region'] or account.region}"
    if is_profile(model_id):
        return f"{place}:{account.account_id}:inference-profile/{model_id}"
    return f"{place}::foundation-model/{model_id}"


def _needs(model: Mapping[str, Any]) -> str:
    if model["bedrock"]:
        where = f" in {model['region']}" if model["region"] else ""
        return f"`make deploy` lets the functions invoke it{where}. Enable it for the account in the Bedrock console."
    if model["keys"]:
        return f"needs a key: `make secret NAME={model['keys'][0]}` once the stack is deployed."
    return "brings its own credentials, or needs none."


if __name__ == "__main__":
    sys.exit(main())
