"""What `make build` says of the sizes of functions and of packages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts import sizes

MIB = sizes.MIB
TEMPLATE = {
    "Resources": {
        "AgentsFunction": {
            "Type": "AWS::Serverless::Function",
            "Properties": {"Layers": [{"Ref": "EngineLayer"}, {"Ref": "ComponentsLayer"}]},
        },
        "ConfigFunction": {"Type": "AWS::Serverless::Function", "Properties": {"Layers": [{"Ref": "EngineLayer"}]}},
        "EngineLayer": {"Type": "AWS::Serverless::LayerVersion"},
        "ComponentsLayer": {"Type": "AWS::Serverless::LayerVersion"},
    }
}


def sparse(path: Path, size: int) -> None:
    """A file of this size that takes no room."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "template.yaml").write_text(json.dumps(TEMPLATE))
    sparse(tmp_path / "EngineLayer/python/agno/all.py", 40 * MIB)
    sparse(tmp_path / "ComponentsLayer/python/components.py", 1000)
    monkeypatch.setattr(sizes, "BUILD", tmp_path)
    return tmp_path


def test_functions_and_the_components_packages_are_listed(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sparse(build / "ComponentsLayer/python/small/__init__.py", 1000)
    sparse(build / "ComponentsLayer/python/anthropic/types.py", 3 * MIB)
    sparse(build / "ComponentsLayer/python/google/genai/types.py", 20 * MIB)

    assert sizes.main() == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()[1:]] == [
        ["63.0", "AgentsFunction"],
        ["40.0", "ConfigFunction"],
        ["of", "these,", "by", "what", "the", "components", "bring:"],
        ["20.0", "google"],
        ["3.0", "anthropic"],
    ]


def test_a_function_that_is_too_large_stops_the_build_with_the_package_that_makes_it_so(
    build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sparse(build / "ComponentsLayer/python/torch/all.so", 215 * MIB)
    sparse(build / "ComponentsLayer/python/numpy/all.so", 20 * MIB)

    assert sizes.main() == 1
    assert capsys.readouterr().err == (
        "25.0 MiB too large, above all for torch: AgentsFunction. docs/components.md says what to do.\n"
    )


def test_without_packages_of_the_components_none_are_listed(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sizes.main() == 0
    assert "bring" not in capsys.readouterr().out


def test_a_layer_under_a_condition_counts(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    template = json.loads(json.dumps(TEMPLATE))
    layers = template["Resources"]["ConfigFunction"]["Properties"]["Layers"]
    layers.append({"Fn::If": ["TakesTokens", {"Ref": "IdentityLayer"}, {"Ref": "AWS::NoValue"}]})
    (build / "template.yaml").write_text(json.dumps(template))
    sparse(build / "IdentityLayer/python/cryptography/all.py", 15 * MIB)
    sizes.main()
    assert ["55.0", "ConfigFunction"] in [line.split() for line in capsys.readouterr().out.splitlines()]
