"""What the user reads once the stack is up."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from local.settings import Settings


def welcome(settings: Settings, *, key_is_set: bool) -> str:
    """Where the API is, and a command to try."""
    lines = [*where(settings), *example(settings, key_is_set=key_is_set, stream=True), *how_to_end()]
    return "\n".join(lines)


def where(settings: Settings) -> list[str]:
    """An empty line, and the line with the API's URL."""
    url = _url(settings)
    return ["", f"AgentOS is at {url}: a page to talk to it in a browser, its documentation at {url}/docs"]


def example(settings: Settings, *, key_is_set: bool, stream: bool) -> list[str]:
    """An empty line, and a command that starts a run. Nothing if there is no component."""
    example = _example(json.loads(settings.manifest.read_text()))
    if example is None:
        return []
    path, message = example
    key = '-H "Authorization: Bearer $OS_SECURITY_KEY" ' if key_is_set else ""
    fields = f"-F {shlex.quote('message=' + message)}"
    if stream:
        return ["", "Stream a run:", f"  curl -N {key}{_url(settings)}{path} {fields} -F stream=true"]
    return ["", "Start a run:", f"  curl {key}{_url(settings)}{path} {fields}"]


def how_to_end() -> list[str]:
    """How the stack is stopped, and what it keeps."""
    return ["", "Ctrl-C ends it. Runs and sessions are kept for the next start.", ""]


def _url(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.port}"


def _example(manifest: Mapping[str, Any]) -> tuple[str, str] | None:
    """A path that starts a run of the first component, and a message for it."""
    for kind in ("agents", "teams", "workflows"):
        for component in manifest.get(kind, ()):
            prompts = component.get("quick_prompts") or ["Hello"]
            return f"/{kind}/{component['id']}/runs", prompts[0]
    return None
