"""The one OpenAPI document of the API, whichever functions serve it.

A build bakes it into the package, because making it costs more than a cold start.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

from agentos_lambda.protocol.values import JsonObject

BAKED = Path(__file__).with_name("openapi.json")


@cache
def api_document(make: Callable[[], JsonObject]) -> JsonObject:
    """The baked document; without one what ``make`` gives."""
    return json.loads(BAKED.read_text()) if BAKED.exists() else make()
