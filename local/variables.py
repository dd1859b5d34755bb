"""The environment variables of the processes and containers that the local stack starts."""

from __future__ import annotations

import os
from collections.abc import Mapping

from agentos_lambda.aws.settings import InvalidSetting
from agentos_lambda.aws.settings import Settings as FunctionSettings
from local.account import REGION, SDK_VARIABLES
from local.settings import ROOT, CannotStart, Settings

OVERRIDABLE = (
    "AGENTOS_MODEL",
    "CORS_ORIGINS",
    "EVENTS_TTL_SECONDS",
    "LOAD_COMPONENTS",
    "LOG_LEVEL",
    "LONGEST_RUN_SECONDS",
    "MAX_SLICES",
    "MEDIA_PRIVATE_HOSTS",
    "QUEUE_LIMIT",
    "RUNS_RETENTION_DAYS",
    "SESSIONS_RETENTION_DAYS",
    "SLICE_SECONDS",
    "WEBSOCKET_SOURCE_LIMIT",
    "WEBSOCKET_TEXT_INTERVAL_MS",
)
"""Variables of the template that the user's environment may override."""
PARAMETERS = {"AGENTOS_RESPONSE_MODE": "ResponseMode"}
"""Variables of the user's environment that set a parameter of the template."""
_ONLY_ON_AWS = ("SECURITY_KEY_SECRET", "COMPONENTS_SECRET", "AWS_LAMBDA_EXEC_WRAPPER", "STACK_NAME")
"""Variables of the template that a process of this machine does not need. A container needs the first two."""
_PATHS = ("layers/agentos_lambda", "layers/components", ".venvs/components", "local/components/startup")
_PYTHONPATH = os.pathsep.join(str(ROOT / path) for path in _PATHS)


def own_variables() -> dict[str, str]:
    """The user's environment without what could lead to their AWS account or their interpreter."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}


def check_own_variables() -> None:
    """Raises ``CannotStart`` if the user's environment sets a variable to what no function can start with."""
    try:
        FunctionSettings.from_environment({name: os.environ[name] for name in OVERRIDABLE if name in os.environ})
    except InvalidSetting as error:
        raise CannotStart(str(error)) from None


def template_parameters() -> dict[str, str]:
    """The template's parameters that the user's environment sets."""
    return {parameter: os.environ[name] for name, parameter in PARAMETERS.items() if os.environ.get(name)}


def python_variables(settings: Settings) -> dict[str, str]:
    """For a process that imports our package and the components."""
    variables = {**own_variables(), "PYTHONPATH": _PYTHONPATH, "AGENTOS_MANIFEST": str(settings.manifest.resolve())}
    if settings.components is not None:
        variables["AGENTOS_COMPONENTS"] = str(settings.components.resolve())
    return variables


def function_variables(
    settings: Settings, template: Mapping[str, str], cloud_url: str, *, addresses: Mapping[str, str] | None = None
) -> dict[str, str]:
    """For an environment of a function: the template's variables, with local values.

    ``addresses`` are values of those variables that locate something on AWS.
    """
    local = _local(template, cloud_url, addresses or {})
    return {**python_variables(settings), **{name: local[name] for name in local if name not in _ONLY_ON_AWS}}


def container_variables(
    template: Mapping[str, str], cloud_url: str, *, addresses: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The same for a container, which has AWS's interpreter, the built code and the wrapper."""
    return _local(
        template, cloud_url, {"STACK_NAME": "", "SECURITY_KEY_SECRET": "", "COMPONENTS_SECRET": "", **(addresses or {})}
    )


def _local(template: Mapping[str, str], cloud_url: str, addresses: Mapping[str, str]) -> dict[str, str]:
    local = {**template, **{name: value for name, value in addresses.items() if name in template}}
    local["LOG_LEVEL"] = "WARNING"
    if "LOAD_COMPONENTS" in local:
        local["LOAD_COMPONENTS"] = "at-first-run"  # all functions start here at once, and a start is not faster
    if "WEBSOCKET_SOURCE_LIMIT" in local:
        local["WEBSOCKET_SOURCE_LIMIT"] = "0"  # all clients have the address of this machine
    local.update({name: os.environ[name] for name in OVERRIDABLE if name in os.environ})
    if "CORS_ORIGINS" in local:
        # A page in development is served on any port of this machine.
        local["CORS_ORIGINS"] = f"{local['CORS_ORIGINS'] or template['CORS_ORIGINS']},loopback"
    return {**local, **cloud_access(cloud_url), **bedrock_access()}


def cloud_access(cloud_url: str) -> dict[str, str]:
    """What an AWS SDK needs to reach the local cloud, and nothing else."""
    return {**SDK_VARIABLES, "AWS_ENDPOINT_URL": cloud_url, "AWS_EC2_METADATA_DISABLED": "true"}


def bedrock_access() -> dict[str, str]:
    """What functions need to call the real Bedrock, if the user has a Bedrock API key in ``AWS_BEARER_TOKEN_BEDROCK``.

    Such a key gives access to Bedrock and to nothing else. Other credentials are never passed on.
    """
    token = os.environ.get("AWS_BEARER_TOKEN_BEDROCK")
    if not token:
        return {}
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or REGION
    endpoint = f"https://bedrock-runtime.{region}.amazonaws.com"
    return {"AWS_BEARER_TOKEN_BEDROCK": token, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": endpoint}
