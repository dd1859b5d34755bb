"""Deletions in the queue of runs: a message that is not the id of a run is a JSON object."""

from __future__ import annotations

import json
from dataclasses import asdict

from agentos_lambda.sessions.model import Deletion


def deletion_message(deletion: Deletion) -> str:
    """The message that has a worker go on with the deletion."""
    return json.dumps({"deletion": asdict(deletion)})


def deletion_of(message: str) -> Deletion | None:
    """The deletion that a message is about; None if it names a run: the id of one cannot begin with a brace."""
    if not message.startswith("{"):
        return None
    given = json.loads(message)["deletion"]
    return Deletion(**{**given, "cancelled": tuple(given["cancelled"])})
