"""What can be told of the components without importing an engine: ``runs.ports.Catalog`` from a document.

The document is made of the components at build time (``python -m agentos_lambda.engine.components.build_manifest``),
its model a placeholder where a component takes the default model.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from agentos_lambda.engine.models.setting import PLACEHOLDER, VARIABLE, ModelNames, model_names
from agentos_lambda.protocol.values import Json, JsonObject, Kind
from agentos_lambda.runs.catalog import Component

VERSION = 1
"""Of the document's form. One of another version is not read."""


class ManifestError(Exception):
    """The document cannot be used. The text is one line: which file, and why."""


class Manifest:
    """The components, as they were described when the document was made, with the model that is used here."""

    def __init__(self, document: JsonObject, environment: Mapping[str, str] | None = None) -> None:
        setting = (os.environ if environment is None else environment).get(VARIABLE)
        resolved = _resolved(document, model_names(setting, document["providers"]))
        self._components = {kind: [_component(kind, entry) for entry in resolved[kind.plural]] for kind in Kind}
        self._models: list[JsonObject] = []
        for model in resolved["models"]:
            if model not in self._models:
                self._models.append(model)
        self._os: JsonObject = resolved["os"]
        self._engine_version: str = resolved["engine_version"]

    @classmethod
    def load(cls, make: Callable[[], JsonObject]) -> Manifest:
        """The document of ``AGENTOS_MANIFEST``, else ``manifest.json`` beside the components, else what ``make`` gives.

        Raises ``ManifestError``, and what ``make`` raises.
        """
        named = os.environ.get("AGENTOS_MANIFEST")
        path = Path(named) if named else _beside_the_components()
        if path is not None and (named or path.is_file()):
            return cls(_read(path))
        return cls(make())

    def find(self, kind: Kind, component_id: str) -> Component | None:
        return next((component for component in self._components[kind] if component.id == component_id), None)

    def all(self, kind: Kind) -> Sequence[Component]:
        return self._components[kind]

    def models(self) -> Sequence[JsonObject]:
        return self._models

    def os_config(self) -> JsonObject:
        return self._os

    def engine_version(self) -> str:
        return self._engine_version


def _beside_the_components() -> Path | None:
    """Where the manifest of the components lies, if they are a module; a file named by a variable has none."""
    if os.environ.get("AGENTOS_COMPONENTS"):
        return None
    spec = importlib.util.find_spec("components")
    return Path(spec.origin).with_name("manifest.json") if spec is not None and spec.origin else None


def _read(path: Path) -> JsonObject:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise ManifestError(f"{path}: is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise ManifestError(f"{path}: is not a manifest of version {VERSION}: build it again")
    return document


def _resolved(value: Json, model: ModelNames) -> Json:
    """The value with the placeholder's names replaced by the model's, at any depth."""
    if isinstance(value, dict):
        return {key: _resolved(item, model) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item, model) for item in value]
    names = {PLACEHOLDER.id: model.id, PLACEHOLDER.name: model.name, PLACEHOLDER.provider: model.provider}
    return names.get(value, value) if isinstance(value, str) else value


def _component(kind: Kind, entry: JsonObject) -> Component:
    return Component(
        kind=kind,
        id=entry["id"],
        name=entry["name"],
        history_runs=entry["history_runs"],
        config=entry["config"],
        listed=entry["listed"],
        detail=entry["detail"],
        quick_prompts=tuple(entry["quick_prompts"]),
        durable=entry.get("durable", False),
        history_if_asked=entry.get("history_if_asked", 0),
        checked=entry.get("checked", False),
    )
