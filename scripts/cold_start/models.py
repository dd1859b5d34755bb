"""What the model of a provider brings to the functions that run components: a layer, to be measured."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.sam.build import architecture, sam_variables
from local.settings import ROOT
from scripts.cold_start.first_answer import Request

WHOLE_RUN = Request(
    "whole", "AgentsFunction", "POST", "/agents/assistant/runs", (("message", "Hello!"), ("stream", "false"))
)
"""Its answer begins when the run has ended."""

_NOBODY = "http://127.0.0.1:9"
"""Nobody listens there, so a run ends as soon as its model has made its client and asked."""
UNREACHABLE = {
    **dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY"), "a key"),
    "OPENAI_BASE_URL": _NOBODY,
    "ANTHROPIC_BASE_URL": _NOBODY,
    "ANTHROPIC_BEDROCK_BASE_URL": _NOBODY,
    "GOOGLE_GEMINI_BASE_URL": _NOBODY,
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": _NOBODY,
    "AWS_MAX_ATTEMPTS": "1",
}


@dataclass(frozen=True)
class ModelClass:
    """A model of agno's, by where it is imported from, and the requirement that it has."""

    module: str
    name: str
    requirement: str = ""

    def __str__(self) -> str:
        return f"{self.module.removeprefix('agno.models.')}.{self.name}"


MODELS = (
    ModelClass("agentos_lambda", "DemoModel"),
    ModelClass("agno.models.aws.bedrock", "AwsBedrock"),
    ModelClass("agno.models.openai", "OpenAIChat", "openai"),
    ModelClass("agno.models.openai", "OpenAIResponses", "openai"),
    ModelClass("agno.models.anthropic", "Claude", "anthropic"),
    ModelClass("agno.models.aws", "Claude", "anthropic[bedrock]"),
    ModelClass("agno.models.google", "Gemini", "google-genai"),
)

_COMPONENTS = """\
from agno.agent import Agent
from {module} import {name}

agents = [Agent(id="assistant", model={name}(id="a-model"))]
teams, workflows = [], []
"""


@contextmanager
def components_layer(model: ModelClass) -> Iterator[Path]:
    """The components' layer with one agent of this model, built as for AWS but for this machine's processor."""
    with tempfile.TemporaryDirectory() as folder:
        source, artifacts = Path(folder, "components"), Path(folder, "layer")
        source.mkdir()
        artifacts.mkdir()
        (source / "components.py").write_text(_COMPONENTS.format(module=model.module, name=model.name))
        (source / "requirements.txt").write_text(f"{model.requirement}\n")
        command = ["make", "--silent", "-f", str(ROOT / "layers/Makefile"), "-C", str(source)]
        subprocess.run(
            [*command, "build-ComponentsLayer", f"ARTIFACTS_DIR={artifacts}"],
            check=True,
            env={**sam_variables(), "AGENTOS_MODEL": "demo", "ARCHITECTURE": architecture()},
        )
        yield artifacts / "python"


def mib(folder: Path) -> float:
    """The size of what is in the folder, unzipped."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1024**2
