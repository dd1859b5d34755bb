"""What the user of sam local reads when it is up."""

from __future__ import annotations

import shlex

from local.sam.build import SAM
from local.sam.files import SamLocalFiles
from local.settings import ROOT, Settings
from local.welcome import example, how_to_end, where


def sam_welcome(settings: Settings, files: SamLocalFiles, *, key_is_set: bool) -> str:
    """Where things are, commands to try, and what there is not."""
    command = (str(SAM), "local", "invoke", "AgentsFunction", "-e", "events/agents.json", *files.options)
    invoke = shlex.join(word.removeprefix(f"{ROOT}/") for word in command)  # it is run where events/ is
    lines = [
        *where(settings),
        *example(settings, key_is_set=key_is_set, stream=False),
        *("", "A function with an event of its own:", f"  {invoke}"),
        *("", "sam local knows neither streaming nor WebSockets: answers come whole, and what a function sends to"),
        "a connection is printed here.",
        *how_to_end(),
    ]
    return "\n".join(lines)
