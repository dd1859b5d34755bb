"""The one OpenAPI document of the whole API, which several functions serve together.

A build bakes it into the package, because making it costs more than a cold start; without a baked one it is made.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from agentos_lambda.runs.model import JsonObject

BAKED = Path(__file__).with_name("openapi.json")


def document_at(scope: Any) -> JsonObject:
    """The document as it is served to the request of this ASGI scope: with the server that was asked."""
    return {**_document(), "servers": [{"url": _stage_prefix(scope) or "/"}]}


def url_at(scope: Any) -> str:
    """The document's own URL on the server that was asked."""
    return f"{_stage_prefix(scope)}/openapi.json"


@cache
def _document() -> JsonObject:
    if BAKED.exists():
        baked: JsonObject = json.loads(BAKED.read_text())
        return baked
    from agentos_lambda.api.build_document import build_document  # noqa: PLC0415 - imports all routes

    return build_document()


def _stage_prefix(scope: Any) -> str:
    """What stands before the path in the public URL: API Gateway's default URL has the stage there."""
    event = scope.get("aws.event") or {}
    public_path = (event.get("requestContext") or {}).get("path") or ""
    path = event.get("path") or ""
    return public_path.removesuffix(path) if path and public_path.endswith(path) else ""
