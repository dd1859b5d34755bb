"""A page of ``GET /{kind}/{id}/runs``, which always fits into an answer."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from agentos_lambda.api.routes.run_items import run_item
from agentos_lambda.protocol.values import Json, JsonObject
from agentos_lambda.runs.model import RunOutput, StoredRun

if TYPE_CHECKING:
    from agentos_lambda.api.answers import RunItem

DEFAULT_LIMIT = 100
MAX_LIMIT = 200
"""Runs on a page."""

_MAX_BYTES = 4_000_000
"""Of the runs that a page shows whole. Lambda takes 6 MB for an answer: JSON as a text within JSON."""
_MAX_PREVIEW = 500
"""Characters of input and content in a run that is not shown whole."""

_SMALL = ("user_id", "agent_id", "team_id", "workflow_id", "parent_run_id", "created_at", "content_type")


def run_list(runs: Iterable[StoredRun], *, limit: int) -> list[RunItem]:
    """The first ``limit`` runs. Those that no longer fit are cut, and say where the whole is.

    Takes one run after the other: no more than the page is in memory.
    """
    items: list[RunItem] = []
    left = _MAX_BYTES
    for stored in islice(runs, limit):
        item = run_item(stored)
        size = _size(item)
        if size <= left:
            left -= size
        else:
            item = _cut(stored)
        items.append(item)
    return items


def _size(item: RunItem) -> int:
    """Bytes in an answer that is buffered."""
    return len(json.dumps(json.dumps(item, ensure_ascii=False), ensure_ascii=False).encode("utf-8", "surrogatepass"))


def _cut(stored: StoredRun) -> RunItem:
    run = stored.output.run
    small: JsonObject = {name: run[name] for name in _SMALL if name in run}
    small |= {"input": _preview(_input(run)), "content": _preview(run.get("content"))}
    item = run_item(replace(stored, output=RunOutput(small)))
    item["truncated"] = True
    item["whole"] = f"/{stored.kind.plural}/{stored.component_id}/runs/{stored.run_id}"
    return item


def _input(run: JsonObject) -> Json:
    given = run.get("input")
    return given.get("input_content") if isinstance(given, dict) and "input_content" in given else given


def _preview(value: Json) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_PREVIEW else f"{text[:_MAX_PREVIEW]}…"
