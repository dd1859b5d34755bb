"""What the user reads when the stack is up."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from local.settings import Settings


def welcome(settings: Settings, *, key_is_set: bool) -> str:
    """Where things are, and a command to try."""
    url = f"http://127.0.0.1:{settings.port}"
    manifest = json.loads(settings.manifest.read_text())
    lines = ["", f"AgentOS is at {url}, its documentation at {url}/docs"]
    if example := _example(manifest):
        path, message = example
        key = '-H "Authorization: Bearer $OS_SECURITY_KEY" ' if key_is_set else ""
        fields = f"-F {shlex.quote('message=' + message)} -F stream=true"
        lines += ["", "A run, as it happens:", f"  curl -N {key}{url}{path} {fields}"]
    lines += ["", "Ctrl-C ends it. Runs and sessions are kept for the next time.", ""]
    return "\n".join(lines)


def _example(manifest: Mapping[str, Any]) -> tuple[str, str] | None:
    """The path of a run and a message, of the first component that there is."""
    for kind in ("agents", "teams", "workflows"):
        for component in manifest.get(kind, ()):
            prompts = component.get("quick_prompts") or ["Hello"]
            return f"/{kind}/{component['id']}/runs", prompts[0]
    return None
