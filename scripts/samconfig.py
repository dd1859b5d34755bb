"""The options that samconfig.toml gives a deployment. ``python -m scripts.samconfig NAME`` prints a parameter of it."""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parent.parent
_QUOTED = re.compile(r'"[^"]*"')
_BREAK = re.compile(r"[^\S ]")
_PAIR = re.compile(r'(?:^|\s)([^\s="]+)=(?:"([^"]*)"|(\S+))')


class Unusable(SystemExit):
    """What is wrong with samconfig.toml. A script prints it and ends with status 1."""


def deployment(environment: str, *, root: Path = ROOT) -> dict[str, Any]:
    """The options of ``sam deploy`` in one environment of the file, spelled as there: ``stack_name``, ``region``, …

    Raises ``Unusable``.
    """
    try:
        config: dict[str, Any] = tomllib.loads((root / "samconfig.toml").read_text())
    except tomllib.TOMLDecodeError as error:
        raise Unusable(f"samconfig.toml: {error}") from None
    if environment not in config:
        there = ", ".join(name for name, value in config.items() if isinstance(value, Mapping))
        raise Unusable(f"samconfig.toml has no part {environment}: CONFIG is one of {there}.")
    parts = (config[environment].get(command, {}).get("parameters", {}) for command in ("global", "deploy"))
    return {name: value for part in parts for name, value in part.items()}


def check_overrides(environment: str, declared: Iterable[str], *, root: Path = ROOT) -> None:
    """Raises ``Unusable`` for what sam ignores silently: a parameter that is not ``declared`` in the template, and text
    that is no pair, such as what follows a space in a value without quotes; and for lines, which it does not part."""
    names = [*declared]
    texts = [text.strip() for text in parameter_overrides(environment, root=root) if not text.startswith("file://")]
    if any(_BREAK.search(_QUOTED.sub("", text)) for text in texts):
        raise Unusable(
            "samconfig.toml: for sam, a line break in parameter_overrides belongs to the value before it. Write spaces "
            'between parameters, or a list: ["NAME=value", …].'
        )
    ignored = _PAIR.sub(" ", " ".join(texts)).split()
    if ignored:
        raise Unusable(
            f"samconfig.toml: sam ignores {' '.join(ignored)!r} in parameter_overrides. A value with spaces needs "
            'double quotes, and an empty one is NAME="".'
        )
    for name, _ in _pairs(environment, root):
        if name not in names:
            meant = "".join(f" Did you mean {each}?" for each in get_close_matches(name, names, 1))
            raise Unusable(f"samconfig.toml sets {name}, which is no parameter of template.yaml.{meant}")


def parameter_overrides(environment: str, *, root: Path = ROOT) -> list[str]:
    """The values of ``--parameter-overrides`` in the file, which may hold a text, a table, or a list of both."""
    return override_texts(deployment(environment, root=root).get("parameter_overrides"))


def override_texts(configured: Any) -> list[str]:
    """The same of what the file holds."""
    if isinstance(configured, list):
        return [text for each in configured for text in override_texts(each)]
    if isinstance(configured, Mapping):
        return [f'{name}="{value}"' for name, value in configured.items()]
    return [configured] if configured else []


def override(name: str, environment: str, *, root: Path = ROOT) -> str:
    """The value of a parameter in the file; empty if it does not set it."""
    return dict(_pairs(environment, root)).get(name, "")


def _pairs(environment: str, root: Path) -> list[tuple[str, str]]:
    """Names and values. Of a name that is set twice the last one counts."""
    texts = " ".join(parameter_overrides(environment, root=root))
    return [(name, quoted or bare) for name, quoted, bare in _PAIR.findall(texts)]


def main(arguments: list[str] | None = None) -> int:
    """Print the value of a parameter, or an empty line if the file does not set it. Raises ``Unusable``."""
    parser = argparse.ArgumentParser(prog="python -m scripts.samconfig", description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--config-env", default="default", help="environment of samconfig.toml; default: %(default)s")
    options = parser.parse_args(arguments)
    check_overrides(options.config_env, yaml_parse((ROOT / "template.yaml").read_text())["Parameters"])
    print(override(options.name, options.config_env))
    return 0


if __name__ == "__main__":
    sys.exit(main())
