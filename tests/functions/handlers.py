"""Handlers of functions as Lambda loads them, and what it hands them."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from typing import Any

from tests.process import ROOT


class Context:
    """What Lambda tells a handler."""

    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def load_handler(function: str) -> Callable[[Any, Any], Any]:
    """The handler of a function, loaded as Lambda loads it: anew for each environment."""
    spec = importlib.util.spec_from_file_location(f"app_{function}", ROOT / "functions" / function / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.pop(spec.name, None)
    spec.loader.exec_module(module)
    handler: Callable[[Any, Any], Any] = module.handler
    return handler


def sample_event(name: str) -> Any:
    return json.loads((ROOT / "events" / f"{name}.json").read_text())
