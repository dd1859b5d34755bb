from __future__ import annotations

from typing import Any

import pytest

from tests.stack.translation import translate


@pytest.fixture(scope="session")
def stack() -> dict[str, dict[str, Any]]:
    """The stack of a first deployment: no parameter is given."""
    return translate()


@pytest.fixture(scope="session")
def watching() -> dict[str, dict[str, Any]]:
    """A stack with alarms."""
    return translate(AlarmEmail="ops@example.com")


@pytest.fixture(scope="session")
def buffered_stack() -> dict[str, dict[str, Any]]:
    return translate(ResponseMode="buffered")
