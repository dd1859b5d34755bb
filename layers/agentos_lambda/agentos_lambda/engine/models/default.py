"""The model that components use unless they name one: the demo model, or that of ``AGENTOS_MODEL``."""

from __future__ import annotations

import os
from typing import cast

from agno.models.base import Model
from agno.models.utils import get_model

from agentos_lambda.engine.errors import REQUIREMENTS, ComponentsError
from agentos_lambda.engine.models.adapting import adapt_models
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.engine.models.setting import DEMO_SETTING, PLACEHOLDER, PLACEHOLDER_SETTING, VARIABLE


def default_model() -> Model:
    """The model that ``AGENTOS_MODEL=provider:id`` names, such as ``openai:gpt-5-mini``; without it the demo model.

    Raises ``ComponentsError``, naming the variable and what is missing, if the model cannot be made.
    """
    adapt_models()
    setting = os.environ.get(VARIABLE, "").strip()
    if setting == PLACEHOLDER_SETTING:
        return DemoModel(id=PLACEHOLDER.id, name=PLACEHOLDER.name, provider=PLACEHOLDER.provider)
    if setting in ("", DEMO_SETTING):
        return DemoModel()
    try:
        return cast(Model, get_model(setting))
    except ImportError as error:
        missing = error.name or _told_by(error)
        raise ComponentsError(
            f"{VARIABLE}={setting}: the package {missing} is missing: add it to {REQUIREMENTS}"
        ) from error
    except ValueError as error:
        raise ComponentsError(f"{VARIABLE}={setting}: {error} It is provider:id, or {DEMO_SETTING}.") from error


def _told_by(error: ImportError) -> str:
    """agno replaces the import's error with words of its own, such as: `openai` not installed. …"""
    words = str(error).split()
    return words[0].strip("`'\"") if words else "of that provider"
