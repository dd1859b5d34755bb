"""A caller's output schema as agno takes one: a model whose schema is the caller's, and whose content is any object."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from pydantic import BaseModel, RootModel

from agentos_lambda.protocol.values import JsonObject

_NAME = "DynamicModel"
"""What AgentOS calls a model whose schema has no title. It is the run's ``content_type``."""


def output_model(schema: JsonObject) -> type[BaseModel]:
    """The model. It changes nothing of an answer, whatever its names and nulls: it is checked when the run has ended.

    A model made field by field could not do that: names such as ``_id`` and ``model_dump`` are pydantic's own.
    """

    class Answer(RootModel[dict[str, Any]]):
        @classmethod
        def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
            return deepcopy(schema)

    title = schema.get("title")
    Answer.__name__ = title if isinstance(title, str) and title.isidentifier() else _NAME
    return Answer
