from __future__ import annotations

import pytest

from tests.api.world import Api


@pytest.fixture
def api() -> Api:
    return Api()
