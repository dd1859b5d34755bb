from __future__ import annotations

from typing import Any

import pytest

from tests.stack.translation import translate


@pytest.fixture(scope="session")
def stack() -> dict[str, dict[str, Any]]:
    """The stack of a first deployment: no parameter is given."""
    return translate()


@pytest.fixture(scope="session")
def buffered_stack() -> dict[str, dict[str, Any]]:
    return translate(ResponseMode="buffered")
