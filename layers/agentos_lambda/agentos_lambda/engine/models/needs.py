"""What the models of components need where they are deployed: a role for Bedrock, a key for most others."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any

from agno.models.base import Model

from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.values import JsonObject

_BEDROCK = "agno.models.aws."
_KEY = re.compile(r"""getenv\(\s*["']([A-Z0-9_]+_(?:KEY|TOKEN))["']""")
"""How agno's model classes read their keys."""


def model_needs(models: Iterable[Model]) -> list[JsonObject]:
    """What each of the models needs, once. The demo model needs nothing, and is left out.

    ``id``, ``provider``; ``bedrock``: whether the function's role has to allow it; ``region``: of Bedrock, None for the
    stack's own; ``keys``: the variables that the model's class reads for a key.
    """
    needs: list[JsonObject] = []
    for model in models:
        if not isinstance(model, DemoModel) and (need := _need(model)) not in needs:
            needs.append(need)
    return needs


def _need(model: Model) -> JsonObject:
    bedrock = _is_of_bedrock(model)
    return {
        "id": model.id,
        "provider": model.provider or type(model).__name__,
        "bedrock": bedrock and not _has_credentials(model),
        "region": _region(model) if bedrock else None,
        "keys": keys_of(model),
    }


def keys_of(model: Model) -> list[str]:
    """The variables that the model's class reads for its key; none of a model that brings one, or that needs a role."""
    by_role = _is_of_bedrock(model) or getattr(model, "vertexai", False)
    return [] if by_role or getattr(model, "api_key", None) else _keys(type(model))


def _is_of_bedrock(model: Model) -> bool:
    return any(each.__module__.startswith(_BEDROCK) for each in type(model).__mro__)


def _has_credentials(model: Any) -> bool:
    return any(getattr(model, name, None) for name in ("aws_access_key_id", "aws_access_key"))


def _region(model: Any) -> str | None:
    """The region that the model itself names, by whatever it brings."""
    client = model.client.meta.region_name if hasattr(model.client, "meta") else None
    region: str | None = model.aws_region or (model.session and model.session.region_name) or client
    return region


def _keys(model_class: type[Model]) -> list[str]:
    """The keys of the class itself, else of the class that it derives from: most speak OpenAI's API by its client."""
    for each in _own_classes(model_class):
        if keys := sorted(set(_KEY.findall(_source(each)))):
            return keys
    return []


def _source(model_class: type[Model]) -> str:
    """Its text; "" if there is none, as of a class that is made by a call, or of a package of byte code alone."""
    try:
        return inspect.getsource(model_class)
    except (OSError, TypeError):
        return ""


def _own_classes(model_class: type[Model]) -> Iterator[type]:
    for each in model_class.__mro__:
        if each is Model:
            return
        if each.__module__.startswith("agno.models."):
            yield each
