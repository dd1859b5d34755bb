"""The requests of agno's agent-ui, as its source makes them, and what it reads of the answers.

Commit c084377d437df8d5d168792c9f0ca63cf61429f8 of github.com/agno-agi/agent-ui: ``src/api``, ``src/hooks``. It is no
package of npm, and none of its code is here: this file says what that code sends and takes. Every request has the
content type JSON but a run's, also a GET, so that a browser asks before each of them.
"""

from __future__ import annotations

import json
from typing import Any

from tests.clients.served import Page

JSON = {"Content-Type": "application/json"}


def get(page: Page, path: str, **params: str) -> Any:
    answer = page.get(path, params=params, headers=JSON)
    assert answer.status_code == 200, answer.text
    return answer.json()


def chat(page: Page, path: str, message: str, session_id: str = "") -> list[dict[str, Any]]:
    """The events of a run. The page looks for objects of JSON in the text, wherever they stand."""
    form = {"message": message, "stream": "true", "session_id": session_id}
    answer = page.post(path, files={name: (None, value) for name, value in form.items()})
    assert answer.status_code == 200, answer.text
    events, rest = [], answer.text
    while (start := rest.find("{")) >= 0:
        event, end = json.JSONDecoder().raw_decode(rest, start)
        events.append(event)
        rest = rest[end:]
    return events
