"""``AGENTOS_MODEL``: which model components use that do not name one. Known without importing agno."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

VARIABLE = "AGENTOS_MODEL"

DEMO_SETTING = "demo"
"""The demo model, the same as no setting."""

PLACEHOLDER_SETTING = "manifest:placeholder"
"""Set while a manifest is built: which model it will be is known only where it runs."""


@dataclass(frozen=True, slots=True)
class ModelNames:
    """What descriptions tell of a model."""

    id: str
    name: str
    provider: str


DEMO = ModelNames(id="demo", name="DemoModel", provider="Demo")

PLACEHOLDER = ModelNames(id="{default_model.id}", name="{default_model.name}", provider="{default_model.provider}")


def model_names(setting: str | None, providers: Mapping[str, Sequence[str]]) -> ModelNames:
    """The names of the model that a setting chooses. ``providers``: key -> class name and provider, as in agno."""
    setting = (setting or "").strip()
    if setting in ("", DEMO_SETTING):
        return DEMO
    key, _, model_id = setting.partition(":")
    name, provider = providers.get(key.strip().lower(), (key, key))
    return ModelNames(id=model_id.strip(), name=name, provider=provider)
