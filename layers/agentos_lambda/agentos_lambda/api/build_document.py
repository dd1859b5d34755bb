"""Makes the OpenAPI document from the routes: ``python -m agentos_lambda.api.build_document FILE``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from agentos_lambda import __version__
from agentos_lambda.api.components import component_router
from agentos_lambda.api.discovery import discovery_router
from agentos_lambda.api.run_state import run_state_router
from agentos_lambda.api.runs import run_router
from agentos_lambda.api.services import Os, Services
from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.runs.model import JsonObject, Kind

_DESCRIPTION = "Run agents, teams and workflows. Every error is `{detail, error_code}`."


def build_document() -> JsonObject:
    """The document. Nothing behind the routes is needed to describe them."""
    nothing: Any = None
    app = FastAPI(title="AgentOS on Lambda", version=__version__, description=_DESCRIPTION)
    app.include_router(discovery_router(Services(Os(), nothing, SystemClock(), nothing)))
    for kind in Kind:
        app.include_router(component_router(kind, nothing))
        app.include_router(run_state_router(kind, nothing, nothing))
        app.include_router(run_router(kind, nothing, nothing, nothing, nothing))
    document = app.openapi()
    document["components"]["securitySchemes"] = {"SecurityKey": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"SecurityKey": []}]
    return document


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(build_document(), separators=(",", ":")))
