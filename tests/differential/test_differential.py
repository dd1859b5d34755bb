"""A sample of the comparison: the same requests about sessions and memories to the released AgentOS and to ours."""

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

import pytest

from agentos_lambda.api.openapi.build_document import build_document
from agentos_lambda.api.routes.not_served import NOT_SERVED
from tests.differential.cases import Cases
from tests.differential.compare import Report, compare
from tests.differential.differences import DIFFERENCES
from tests.differential.memory_cases import MemoryCases
from tests.differential.servers import Asked, Ours, released

pytestmark = pytest.mark.sample

REQUESTS = 320
ROUTES: Mapping[type[Cases | MemoryCases], tuple[str, ...]] = {
    Cases: ("GET /sessions", "POST /sessions"),
    MemoryCases: (
        "GET /memories", "POST /memories", "DELETE /memories", "GET /memories/{id}", "PATCH /memories/{id}",
        "DELETE /memories/{id}", "GET /memory_topics", "GET /user_memory_stats", "POST /optimize-memories",
    ),
}  # fmt: skip
"""What has to be answered in earnest."""


@pytest.mark.parametrize("cases", [Cases, MemoryCases], ids=["sessions", "memories"])
def test_ours_answers_like_the_released_agentos_but_for_named_differences(
    tmp_path: Path, seed: int, cases: type[Cases | MemoryCases]
) -> None:
    report = Report()
    with released(tmp_path) as oracle:
        compare(oracle, Ours(), islice(cases(seed), REQUESTS), report)
    assert report.unnamed == []
    assert report.asked == REQUESTS
    # Most of them are answered with something that is worth comparing.
    assert report.paths["GET 200"] > REQUESTS / 5
    assert all(report.succeeded[route] >= 3 for route in ROUTES[cases])
    assert {difference.name for difference in DIFFERENCES} >= report.named.keys()


def operations(paths: Mapping[str, Iterable[str]]) -> set[str]:
    return {
        f"{method.upper()} {re.sub(r'{[^}]+}', '{}', path)}" for path, methods in paths.items() for method in methods
    }


def test_every_operation_of_agentos_is_served_or_answers_that_it_is_not(tmp_path: Path) -> None:
    with released(tmp_path) as oracle:
        asked = oracle.ask(Asked("GET", "/openapi.json"), second=0).json()["paths"]
    # What answers 503 to everything, where AgentOS has no durable queue, is no operation.
    theirs = operations({path: methods for path, methods in asked.items() if path != "/queue"})
    ours, refused = operations(build_document()["paths"]), operations(NOT_SERVED)
    assert len(theirs) > 80
    assert theirs - ours - refused == set()
    assert ours & refused == set()
