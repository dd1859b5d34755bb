"""What `make bench` measures and says; here with the source instead of the build."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from local.cloud.key_secret import key_secret
from local.cloud.resources import create_resources
from local.cloud.session import CloudClients
from local.settings import ROOT
from local.template.document import Template
from scripts.bench.__main__ import AGENT_RUN
from scripts.bench.chart import chart
from scripts.bench.counting import counting_proxy
from scripts.bench.process import function_process
from scripts.bench.results import Goal, compared, judged, load, save
from scripts.cold_start.__main__ import variables
from scripts.cold_start.first_answer import KEY
from tests.scripts.test_cold_start import INSTALLED, SOURCE


@pytest.mark.anyio
async def test_a_process_answers_one_request_after_the_other_and_asks_three_times_for_each_run(
    cloud_url: str, manifest: Path
) -> None:
    template = Template.load(ROOT / "template.yaml")
    clients = CloudClients(cloud_url)
    bundle = replace(SOURCE, apps={AGENT_RUN: ROOT / "functions/agents"})
    event = replace(AGENT_RUN, form=(*AGENT_RUN.form, ("session_id", "measured"))).event()
    async with key_secret(KEY, clients) as secret:
        create_resources(template, clients)
        with counting_proxy(cloud_url) as (url, counted):
            given = variables(bundle, AGENT_RUN, template, INSTALLED, cloud_url=url, secret=secret)
            given["AGENTOS_MANIFEST"] = str(manifest)
            async with function_process((sys.executable,), given) as process:
                assert b"COMPLETED" in await process.answer(event)
                counted.taken()
                assert 0 < await process.cpu_of(event, 2) < 60
            requests, size = counted.taken()
    assert requests == 2 * 3
    assert size > 1000


MEASURE = "warm config, CPU ms"


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [([1.0, 1.1], "met"), ([2.1, 2.6, 2.7], "within the noise"), ([3.0, 3.1, 2.9], "FALLS SHORT")],
)
def test_a_time_misses_its_goal_only_beyond_the_noise(ours: list[float], verdict: str) -> None:
    results = {f"ours: {MEASURE}": ours, f"naive: {MEASURE}": [8.0] * len(ours)}
    assert Goal(MEASURE, 1 / 4).judged(results).endswith(verdict)


def test_a_count_misses_its_goal_by_any_amount() -> None:
    assert Goal("requests", 3, ratio=False, exact=True).judged({"ours: requests": [4]}).endswith("FALLS SHORT")


def test_what_was_not_measured_is_not_judged() -> None:
    assert judged({"naive: cold config, M instructions": [23_200]}) == []


def test_results_are_kept_compared_and_drawn(tmp_path: Path) -> None:
    before = {f"ours: {MEASURE}": [2.0], f"naive: {MEASURE}": [8.0]}
    save(tmp_path / "results.json", before)
    assert load(tmp_path / "results.json") == before
    assert [line.split()[-2:] for line in compared(before, {f"ours: {MEASURE}": [3.0]})] == [["+50.0", "%"]]
    assert "1/4.0" in chart(before)
