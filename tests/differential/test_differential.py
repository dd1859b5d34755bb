"""A sample of the comparison: the same requests about sessions and memories to the released AgentOS and to ours."""

from itertools import islice
from pathlib import Path

import pytest

from tests.differential.cases import Cases
from tests.differential.compare import Report, compare
from tests.differential.differences import DIFFERENCES
from tests.differential.memory_cases import MemoryCases
from tests.differential.servers import Ours, released

pytestmark = pytest.mark.sample

REQUESTS = 320


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
    assert {difference.name for difference in DIFFERENCES} >= report.named.keys()
