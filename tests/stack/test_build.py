"""`make build` in a copy of the project: what is in the functions and layers that would be deployed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from agentos_lambda.api.pages.files import CHAT_TYPES, MEDIA_TYPES
from tests.stack.translation import FUNCTIONS, ROOT, TEMPLATE, translate

pytestmark = pytest.mark.build

UNZIPPED_LIMIT = 250 * 1024 * 1024
"""Bytes of a function with its layers: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

SOURCES = ("template.yaml", "samconfig.toml", "Makefile", "layers", "page", "requirements", "scripts")
WITHOUT_PYC = "no .pyc"
REGION = "eu-north-1"

COMPONENTS = """\
import os

from agno.agent import Agent
from agno.models.aws.bedrock import AwsBedrock

from agentos_lambda.engine.models.default import default_model

agents = [
    Agent(id="greeter", model=default_model()),
    Agent(id="poet", model=AwsBedrock(id="amazon.nova-lite-v1:0", aws_region=os.environ["AWS_REGION"])),
]
teams = []
workflows = []
"""


@dataclass(frozen=True)
class Build:
    artifacts: Path
    printed: str

    def python(self, layer: str) -> Path:
        return self.artifacts / f"{layer}Layer" / "python"


def project(folder: Path) -> Path:
    """A copy with the smallest functions and components: the layers are what is built here."""
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            shutil.copy(source, folder / name)
    (folder / ".venvs").symlink_to(ROOT / ".venvs")
    (folder / "layers/components/components.py").write_text(COMPONENTS)
    for function in FUNCTIONS:
        app = folder / "functions" / function.removesuffix("Function").lower() / "app.py"
        app.parent.mkdir(parents=True)
        app.write_text("def handler(event, context):\n    return {'statusCode': 204}\n")
    return folder


def make(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    # Without what an outer make hands down, and without an AWS account.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "AWS_"))}
    return subprocess.run(
        ["make", *arguments], cwd=cwd, env=inherited | variables, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = project(tmp_path_factory.mktemp("project"))
    done = make("build", cwd=folder, AWS_DEFAULT_REGION=REGION)
    assert done.returncode == 0, done.stdout + done.stderr
    return Build(folder / ".aws-sam/build", done.stdout + done.stderr)


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def layers(build: Build, stack: dict[str, Any], function: str) -> list[Path]:
    names = stack[function]["Properties"]["Layers"]
    return [build.artifacts / name[: name.index("Layer") + len("Layer")] for name in names]


def test_the_template_validates_and_lints() -> None:
    done = make("validate", cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is a valid SAM Template" in done.stdout


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_with_its_layers_is_small_enough_for_lambda(build: Build, function: str) -> None:
    """With the layer, too, that it has only where tokens are taken."""
    parts = [build.artifacts / function, *layers(build, translate(JwtIssuer="https://issuer.example.com"), function)]
    assert all(size(part) > 0 for part in parts)
    whole = sum(map(size, parts))
    assert whole < UNZIPPED_LIMIT
    assert f"{whole / 1024**2:7.1f}  {function}\n" in build.printed


def test_cloudformation_gets_a_template_without_anchors(build: Build) -> None:
    written = (build.artifacts / "template.yaml").read_text()
    assert any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(TEMPLATE.read_text()))
    assert not any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(written))
    assert "<<" not in written


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_functions_handler_is_where_the_template_says(build: Build, function: str) -> None:
    assert "def handler" in (build.artifacts / function / "app.py").read_text()


def test_native_code_is_for_the_target_and_not_for_this_host(build: Build) -> None:
    (library,) = (build.python("AgentosLambda") / "pydantic_core").glob("*.so")
    assert library.name == "_pydantic_core.cpython-313-aarch64-linux-gnu.so"


def test_another_target_may_be_chosen(tmp_path: Path) -> None:
    done = make(
        "--makefile",
        str(ROOT / "layers/Makefile"),
        "build-AgentosLambdaLayer",
        cwd=ROOT / "layers/agentos_lambda",
        ARTIFACTS_DIR=str(tmp_path),
        ARCHITECTURE="x86_64",
        RUNTIME="python3.12",
    )
    assert done.returncode == 0, done.stderr
    (library,) = (tmp_path / "python/pydantic_core").glob("*.so")
    assert library.name == "_pydantic_core.cpython-312-x86_64-linux-gnu.so"


def test_a_processor_that_lambda_does_not_have_is_refused(tmp_path: Path) -> None:
    done = make(
        "--makefile",
        str(ROOT / "layers/Makefile"),
        "build-AgentosLambdaLayer",
        cwd=ROOT / "layers/agentos_lambda",
        ARTIFACTS_DIR=str(tmp_path),
        ARCHITECTURE="riscv64",
    )
    assert done.returncode != 0
    assert "arm64 or x86_64" in done.stderr


def test_no_package_lies_in_two_layers(build: Build) -> None:
    packages = [
        {entry.name for entry in build.python(layer).iterdir()} - {"__pycache__"}
        for layer in ("Engine", "AgentosLambda", "Components")
    ]
    assert sum(map(len, packages)) == len(set.union(*packages))


def test_the_engine_is_in_its_own_layer_only(build: Build) -> None:
    assert (build.python("Engine") / "agno").is_dir()
    assert (build.python("AgentosLambda") / "pydantic").is_dir()
    assert not (build.python("AgentosLambda") / "agno").exists()


def test_the_wrapper_may_be_executed_where_the_template_names_it(build: Build) -> None:
    assert os.access(build.artifacts / "AgentosLambdaLayer/bin/stream-wrapper", os.X_OK)


def test_the_manifest_describes_the_components_that_are_deployed(build: Build) -> None:
    assert "greeter" in (build.python("Components") / "components.py").read_text()
    manifest = json.loads((build.python("Components") / "manifest.json").read_text())
    assert "greeter" in json.dumps(manifest)


def test_components_are_imported_with_the_region_of_the_stack_as_on_lambda(build: Build) -> None:
    [need] = json.loads((build.python("Components") / "manifest.json").read_text())["model_needs"]
    assert need["region"] == REGION


def test_the_files_of_the_pages_are_compressed_and_their_source_stays_behind(build: Build) -> None:
    package = build.python("AgentosLambda")
    built = {file.name for file in (package / "agentos_lambda/api/pages/built").iterdir()}
    assert built == {f"{name}.gz" for name in MEDIA_TYPES | CHAT_TYPES}
    assert not (package / "fastapi_offline").exists()
    assert not (package / "agentos_lambda/api/pages/chat").exists()


def test_the_api_document_is_baked_into_the_package(build: Build) -> None:
    document = json.loads((build.python("AgentosLambda") / "agentos_lambda/api/openapi/openapi.json").read_text())
    assert "/agents/{agent_id}/runs" in document["paths"]


def test_everything_is_compiled_for_good_or_the_build_says_that_nothing_is(build: Build) -> None:
    sources, compiled = set(build.artifacts.rglob("*.py")), set(build.artifacts.rglob("*.pyc"))
    if WITHOUT_PYC in build.printed:
        assert "scripts/uv python install 3.13" in build.printed
        assert not compiled
        return
    beside = {path for path in compiled if path.parent.name == "__pycache__"}
    assert {path.parents[1] / f"{path.name.split('.')[0]}.py" for path in beside} == sources
    # PEP 552: flags 1 are a hash that is not compared with the source.
    assert {path.read_bytes()[4:8] for path in compiled} == {(1).to_bytes(4, "little")}


def test_of_the_layers_only_agno_and_the_components_keep_their_sources(build: Build) -> None:
    if WITHOUT_PYC in build.printed:
        pytest.skip("nothing is compiled here")
    agno, components = build.python("Engine") / "agno", build.python("Components")
    kept = {path for path in build.artifacts.glob("*Layer/**/*.py") if not path.is_relative_to(agno)}
    assert {path.parent for path in kept} == {components}
    assert (agno / "agent/agent.py").is_file()
    assert (build.python("AgentosLambda") / "fastapi/routing.pyc").is_file()


def test_commands_and_records_of_an_installer_are_left_out(build: Build) -> None:
    assert not list(build.artifacts.rglob("*.dist-info/RECORD"))
    assert not (build.python("Engine") / "bin").exists()
    assert list(build.artifacts.rglob("agno-*.dist-info/METADATA"))
