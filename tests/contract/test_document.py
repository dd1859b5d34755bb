"""docs/api.md: every command runs as it is printed, and answers what is printed below it."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.process import ROOT

DOCUMENT = (ROOT / "docs" / "api.md").read_text()
PRINTED = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Example:
    language: str
    code: str
    answer: str | None
    """The JSON that is printed right below, if there is any."""

    def __str__(self) -> str:
        words = re.findall(r"[a-z]+", self.code.replace(PRINTED, ""))
        return f"{self.language}-{'-'.join(words[:9])}"


def examples() -> list[Example]:
    blocks = re.finditer(r"```(bash|python)\n(.*?)```\n(?:```json\n(.*?)```)?", DOCUMENT, re.DOTALL)
    return [Example(*block.groups()) for block in blocks]


def test_the_document_has_examples_of_both_languages():
    found = examples()
    assert len(found) == len(re.findall(r"^```(?:bash|python)$", DOCUMENT, re.MULTILINE)) >= 17
    assert {example.language for example in found} == {"bash", "python"}
    assert sum(example.answer is not None for example in found) >= 8


@pytest.mark.parametrize("example", examples(), ids=str)
def test_an_example_runs_as_it_is_printed(stack, tmp_path, example):
    code = example.code.replace(PRINTED, stack.url)
    command = [sys.executable, "-c"] if example.language == "python" else ["bash", "-euo", "pipefail", "-c"]
    done = subprocess.run([*command, code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
    if example.answer is not None:
        check_form(json.loads(example.answer), json.loads(done.stdout))
    else:
        assert "error_code" not in done.stdout


def check_form(printed: object, real: object, place: str = "") -> None:
    """What is printed is there: names, types, and texts but for what a ``…`` stands for. There may be more."""
    assert type(real) is type(printed), place
    if isinstance(printed, dict):
        assert set(printed) <= set(real), place
        for name in printed:
            check_form(printed[name], real[name], f"{place}.{name}")
    elif isinstance(printed, list):
        for position, item in enumerate(printed):
            check_form(item, real[position], f"{place}[{position}]")
    elif isinstance(printed, str):
        pattern = ".*".join(re.escape(part) for part in printed.split("…"))
        assert re.fullmatch(pattern, real, re.DOTALL), f"{place}: {real}"


def test_every_route_of_the_api_is_in_the_document(client):
    for path in client.get("/openapi.json").json()["paths"]:
        told = re.sub(r"\{(agent|team|workflow|session|memory)_id\}", "{id}", path).replace("{storage_key}", "{key}")
        told = re.sub(r"^/(agents|teams|workflows)", "/{kind}", told)
        assert told in DOCUMENT, path


def test_every_error_code_is_in_the_document():
    source = Path(ROOT / "layers/agentos_lambda/agentos_lambda/api/errors.py").read_text()
    codes = set(re.findall(r'\d{3}: "([A-Z_]+)"', source))
    assert len(codes) > 10
    assert {code for code in codes if f"`{code}`" not in DOCUMENT} == set()
