"""The text of a SAM template as data."""

from __future__ import annotations

from typing import Any

import yaml
from samtranslator.yaml_helper import intrinsics_multi_constructor  # type: ignore[import-untyped]


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """That of libyaml takes a tenth of the time. A PyYAML that was built without it has none."""


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)


def parse(text: str) -> Any:
    """As YAML, with the short forms of intrinsic functions, such as ``!Ref``, in their long form.

    Raises ``yaml.YAMLError``.
    """
    return yaml.load(text, _Loader)  # noqa: S506 - it is a safe loader
