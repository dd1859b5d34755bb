"""agno's model classes that behave differently here, wherever a model comes from: a component, or code within a run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from agno.models.base import Model

from agentos_lambda.engine.models.bedrock import use_boto3
from agentos_lambda.engine.models.responses import raise_errors_of_streams


def _adapt_bedrock(bedrock: Any) -> None:
    from agentos_lambda.engine.models.bedrock_media import name_media  # noqa: PLC0415 - few models are Bedrock's

    use_boto3(bedrock)
    name_media(bedrock)


_ADAPTED: dict[tuple[str, str], Callable[[Any], None]] = {
    ("agno.models.aws.bedrock", "AwsBedrock"): _adapt_bedrock,
    ("agno.models.openai.responses", "OpenAIResponses"): raise_errors_of_streams,
}
"""By module and name: who imports these modules pays for their packages, so the classes are met when they are made."""


@cache
def adapt_models() -> None:
    """Adapt these classes in this process, also those of a module imported later."""
    model_class: Any = Model
    model_class.__init_subclass__ = classmethod(_met)
    for (module, name), adapt in _ADAPTED.items():
        if module in sys.modules:
            adapt(getattr(sys.modules[module], name))


def _met(cls: type[Any], /, **options: Any) -> None:
    super(Model, cls).__init_subclass__(**options)
    adapt = _ADAPTED.get((cls.__module__, cls.__name__))
    if adapt is not None:
        adapt(cls)
