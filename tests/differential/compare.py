"""Asks both servers the same, and tells where they answer differently without a reason."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from tests.differential.differences import DIFFERENCES, steady
from tests.differential.servers import Asked, Server

_ID = re.compile(r"(?<=/memories)/.+")


@dataclass
class Report:
    """What came of it."""

    asked: int = 0
    paths: Counter[str] = field(default_factory=Counter)
    """How many requests were of a method and a status."""
    succeeded: Counter[str] = field(default_factory=Counter)
    """How many requests of a route AgentOS has served."""
    named: Counter[str] = field(default_factory=Counter)
    """How often a named difference was met."""
    unnamed: list[str] = field(default_factory=list)
    """Request and the two answers, where they differ in another way."""


def compare(released: Server, ours: Server, cases: Iterable[Asked], report: Report) -> None:
    """Ask both each of the cases, a second apart."""
    for second, asked in zip(count(1), cases, strict=False):
        theirs, own = released.ask(asked, second=second), ours.ask(asked, second=second)
        report.asked += 1
        report.paths[f"{asked.method} {theirs.status_code}"] += 1
        if theirs.is_success:
            report.succeeded[f"{asked.method} {_ID.sub('/{id}', asked.path)}"] += 1
        names, left = _judged(asked, theirs, own)
        report.named.update(names)
        if left is not None:
            report.unnamed.append(f"{asked}\n  released {left[0]}\n  ours     {left[1]}")


def _judged(asked: Asked, released: httpx.Response, ours: httpx.Response) -> tuple[list[str], tuple[str, str] | None]:
    """The named differences that were met, and the answers without those; None if they are equal then."""
    theirs, own, names = _body(released), _body(ours), []
    if (released.status_code, theirs) == (ours.status_code, own):
        return names, None
    for difference in DIFFERENCES:
        if difference.applies(asked, released, ours):
            names.append(difference.name)
            if difference.compared is None:
                return names, None
            theirs, own = difference.compared(theirs, own)
    if (released.status_code, theirs) == (ours.status_code, own):
        return names, None
    return names, (_told(released, theirs), _told(ours, own))


def _body(answer: httpx.Response) -> Any:
    return steady(answer.json()) if answer.content else None


def _told(answer: httpx.Response, body: Any) -> str:
    return f"{answer.status_code} {json.dumps(body)}"
