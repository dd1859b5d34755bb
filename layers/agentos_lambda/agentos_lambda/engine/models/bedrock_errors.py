"""Bedrock's errors as sentences that tell the one who runs a component what to do.

Codes: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_ARN = re.compile(r"arn:aws[\w-]*:[^\s\"',)]+")

_DENIED = (
    "Bedrock refused access to the model {model} in {region}. Enable the model for the account in the Bedrock console, "
    "and let the function's role call bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream on it."
)
_UNGUARDED = (
    "Bedrock refused to apply the guardrail that requests to the model {model} name in {region}. Let the function's "
    "role call bedrock:ApplyGuardrail on it, by a managed policy in the parameter ToolPolicies."
)
_CREDENTIALS = (
    "Bedrock did not take the AWS credentials. Check the function's role, or locally the Bedrock API key, and its time "
    "of expiry."
)
_THROTTLED = (
    "Bedrock throttles requests to the model {model} in {region}. Try again later, or ask for a higher quota of the "
    "model in Service Quotas."
)
_UNKNOWN = (
    "Bedrock has no model {model} in {region}. Check the model's id (AGENTOS_MODEL, or the component's own model) and "
    "whether the region offers it."
)
_ON_DEMAND = (
    "Bedrock does not offer the model {model} on demand in {region}. Name an inference profile of it instead, whose id "
    "begins with a group of regions, such as us. or eu."
)
_FAILED = "Bedrock failed to answer for the model {model} in {region}. Try again later."
_UNREACHABLE = "Bedrock could not be reached in {region}, or took too long. Try again later, or check the region."
_INVALID = "The request to the model {model} is not valid for Bedrock: {message}"
_OTHER = "Bedrock refused the request to the model {model}: {message}"

_BY_CODE = {
    "AccessDeniedException": _DENIED,
    "ExpiredTokenException": _CREDENTIALS,
    "InvalidSignatureException": _CREDENTIALS,
    "UnrecognizedClientException": _CREDENTIALS,
    "ThrottlingException": _THROTTLED,
    "ServiceQuotaExceededException": _THROTTLED,
    "ResourceNotFoundException": _UNKNOWN,
    "InternalServerException": _FAILED,
    "ModelErrorException": _FAILED,
    "ModelNotReadyException": _FAILED,
    "ModelStreamErrorException": _FAILED,
    "ModelTimeoutException": _FAILED,
    "ServiceUnavailableException": _FAILED,
}
_BY_WORDS = {"model identifier is invalid": _UNKNOWN, "on-demand throughput": _ON_DEMAND}
"""Both come as ``ValidationException``: only the message tells them apart."""


class BedrockRefused(Exception):
    """Bedrock gave no answer. The text says what to do, and is fit for a caller's eyes."""


@contextmanager
def explained(model: str, region: Callable[[], str]) -> Iterator[None]:
    """Raises ``BedrockRefused`` in place of what boto3 raises."""
    # boto3 is there now
    from botocore.exceptions import (  # noqa: PLC0415
        BotoCoreError,
        ClientError,
        NoCredentialsError,
        ParamValidationError,
    )

    try:
        yield
    except ClientError as error:
        raise BedrockRefused(_sentence(error.response.get("Error", {}), model, region())) from error
    except NoCredentialsError as error:
        raise BedrockRefused(_CREDENTIALS) from error
    except ParamValidationError as error:
        raise BedrockRefused(_INVALID.format(model=_short(model), message=error.kwargs["report"])) from error
    except BotoCoreError as error:
        raise BedrockRefused(_UNREACHABLE.format(region=region())) from error


def _sentence(error: Any, model: str, region: str) -> str:
    code, message = str(error.get("Code", "")), str(error.get("Message", ""))
    # Events in the middle of a stream write their code with a small letter.
    sentence = _BY_CODE.get(code[:1].upper() + code[1:])
    if sentence is _DENIED and "bedrock:ApplyGuardrail" in message:
        sentence = _UNGUARDED
    if sentence is None:
        sentence = next((found for words, found in _BY_WORDS.items() if words in message.lower()), _OTHER)
    return sentence.format(model=_short(model), region=region, message=_ARN.sub("(an ARN)", message) or code)


def _short(model: str) -> str:
    """The model's id; of an ARN, which has the account in it, the last part."""
    return model.rpartition("/")[2] if model.startswith("arn:") else model
