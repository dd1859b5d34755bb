"""What the user of sam local reads once it is up."""

from __future__ import annotations

import shlex

from local.sam.build import SAM
from local.sam.files import SamLocalFiles
from local.settings import ROOT, Settings
from local.welcome import example, how_to_end, where


def sam_welcome(settings: Settings, files: SamLocalFiles, *, key_is_set: bool) -> str:
    """Where the API is, commands to try, and what sam local cannot do."""
    command = (str(SAM), "local", "invoke", "AgentsFunction", "-e", "events/agents.json", *files.options)
    invoke = shlex.join(word.removeprefix(f"{ROOT}/") for word in command)  # events/ is relative, too
    lines = [
        *where(settings),
        *example(settings, key_is_set=key_is_set, stream=False),
        *("", "Invoke a function with a sample event:", f"  {invoke}"),
        *("", "sam local has neither streaming nor WebSockets. Answers arrive whole, and what a function sends to a"),
        "connection is printed here.",
        *how_to_end(),
    ]
    return "\n".join(lines)
