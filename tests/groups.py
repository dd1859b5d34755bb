"""Which tests stay together on one process, in their order, when several processes share the tests."""

from __future__ import annotations

from collections.abc import Collection

SHARED = {"tests/contract": "stack", "tests/e2e": "deployment", "tests/local": "stack", "tests/sam_local": "stack"}
"""Folder -> the fixture of a session that its tests share: to make it takes seconds."""

LONGEST = (
    "tests/local/test_workflow_websocket.py",
    "tests/contract",
    "tests/local/test_lifecycle.py",
    "tests/local",
    "tests/faults/test_state_machine.py",
    "tests/engine/test_same_as_agentos.py",
)
"""Groups that take long. They begin first, so that no process has to wait for another one in the end."""


def group_of(test: str, fixtures: Collection[str]) -> str:
    """The group of a test with this id: those of a file stay together, and those of a folder that share a fixture."""
    path = test.partition("::")[0]
    folder = path.rpartition("/")[0]
    return folder if SHARED.get(folder) in fixtures else path


def turn_of(group: str) -> int:
    """Groups of a lower turn begin earlier."""
    return LONGEST.index(group) if group in LONGEST else len(LONGEST)
