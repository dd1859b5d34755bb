"""What the user reads when the stack is up."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from local.settings import Settings


def welcome(settings: Settings, *, key_is_set: bool) -> str:
    """Where things are, and a command to try."""
    lines = [*where(settings), *example(settings, key_is_set=key_is_set, stream=True), *how_to_end()]
    return "\n".join(lines)


def where(settings: Settings) -> list[str]:
    """The line with the API's URL, after an empty one."""
    url = _url(settings)
    return ["", f"AgentOS is at {url}, its documentation at {url}/docs"]


def example(settings: Settings, *, key_is_set: bool, stream: bool) -> list[str]:
    """A run as a command, after an empty line; nothing if there is no component."""
    example = _example(json.loads(settings.manifest.read_text()))
    if example is None:
        return []
    path, message = example
    key = '-H "Authorization: Bearer $OS_SECURITY_KEY" ' if key_is_set else ""
    fields = f"-F {shlex.quote('message=' + message)}"
    if stream:
        return ["", "A run, as it happens:", f"  curl -N {key}{_url(settings)}{path} {fields} -F stream=true"]
    return ["", "A run:", f"  curl {key}{_url(settings)}{path} {fields}"]


def how_to_end() -> list[str]:
    """The last lines."""
    return ["", "Ctrl-C ends it. Runs and sessions are kept for the next time.", ""]


def _url(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.port}"


def _example(manifest: Mapping[str, Any]) -> tuple[str, str] | None:
    """The path of a run and a message, of the first component that there is."""
    for kind in ("agents", "teams", "workflows"):
        for component in manifest.get(kind, ()):
            prompts = component.get("quick_prompts") or ["Hello"]
            return f"/{kind}/{component['id']}/runs", prompts[0]
    return None
