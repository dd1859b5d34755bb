"""The one OpenAPI document of the whole API, which several functions serve together.

A build bakes it into the package, because making it costs more than a cold start; without a baked one it is made.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from agentos_lambda.protocol.values import JsonObject

BAKED = Path(__file__).with_name("openapi.json")


def document_at(prefix: str) -> JsonObject:
    """The document as it is served behind what stands before the app in the URL: with the server that was asked."""
    return {**_document(), "servers": [{"url": prefix or "/"}]}


@cache
def _document() -> JsonObject:
    if BAKED.exists():
        baked: JsonObject = json.loads(BAKED.read_text())
        return baked
    from agentos_lambda.api.openapi.build_document import build_document  # noqa: PLC0415 - imports all routes

    return build_document()
