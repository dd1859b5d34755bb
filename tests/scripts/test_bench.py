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
from scripts.bench.chart import chart
from scripts.bench.client import events
from scripts.bench.counting import counting_proxy
from scripts.bench.goals import Goal, judged, missed
from scripts.bench.process import function_process, measured
from scripts.bench.publish import CHART, DOCUMENT, RESULTS
from scripts.bench.results import Run, compared, load, save
from scripts.bench.storing import request_of
from scripts.bench.tables import with_tables
from scripts.bench.warm import RUN
from scripts.cold_start.__main__ import variables
from scripts.cold_start.first_answer import KEY
from tests.scripts.test_cold_start import INSTALLED, SOURCE


@pytest.mark.sample
@pytest.mark.anyio
async def test_a_process_answers_one_request_after_the_other_and_asks_three_times_for_each_run(
    cloud_url: str, manifest: Path
) -> None:
    template = Template.load(ROOT / "template.yaml")
    clients = CloudClients(cloud_url)
    bundle = replace(SOURCE, apps={RUN: ROOT / "functions/agents"})
    event = request_of("agent", "whole", "measured").event()
    async with key_secret(KEY, clients) as secret:
        create_resources(template, clients)
        with counting_proxy(cloud_url) as (url, counted):
            given = variables(bundle, RUN, template, INSTALLED, cloud_url=url, secret=secret)
            given["AGENTOS_MANIFEST"] = str(manifest)
            async with function_process((sys.executable,), measured(given)) as process:
                assert b"COMPLETED" in await process.answer(event)
                counted.taken()
                cpu, latencies = await process.taken(event, 2)
    assert 0 < cpu < 60
    assert len(latencies) == 2
    taken = counted.taken()
    assert taken["requests"] == 2 * 3
    assert taken["bytes"] > 1000
    assert taken["write_units"] > taken["read_units"] > 0


MEASURE = "warm config, CPU ms"


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [([1.0, 1.1], "met"), ([2.1, 2.6, 2.7], "within the noise"), ([3.0, 3.1, 2.9], "FALLS SHORT")],
)
def test_a_time_misses_its_goal_only_beyond_the_noise(ours: list[float], verdict: str) -> None:
    results = {f"ours: {MEASURE}": ours, f"naive: {MEASURE}": [8.0] * len(ours)}
    assert Goal(MEASURE, 1 / 4).verdict(results) == verdict
    assert missed(results) == ([MEASURE] if verdict == "FALLS SHORT" else [])


def test_a_count_misses_its_goal_by_any_amount() -> None:
    assert Goal("requests", 3, None, exact=True).verdict({"ours: requests": [4]}) == "FALLS SHORT"


def test_what_was_not_measured_is_not_judged() -> None:
    assert judged({"naive: cold config, M instructions": [23_200]}) == []


def test_results_are_kept_compared_and_drawn(tmp_path: Path) -> None:
    before = {f"ours: {MEASURE}": [2.0], f"naive: {MEASURE}": [8.0]}
    run = Run("2026-11-26", "2 cores, x86_64", "abc", {"agno": "3.1.10"})
    save(tmp_path / "results.json", run, before)
    assert load(tmp_path / "results.json") == (run, before)
    assert [line.split()[-2:] for line in compared(before, {f"ours: {MEASURE}": [3.0]})] == [["+50.0", "%"]]
    assert "1/4.0" in chart(before)
    assert "| config | 2 | 8 |" in with_tables("<!-- bench: warm -->\nold\n<!-- bench ends -->", run, before)


def test_the_document_and_its_chart_show_the_results_that_are_kept() -> None:
    run, results = load(RESULTS)
    document = DOCUMENT.read_text()
    assert document.count("<!-- bench: ") == 6
    assert document == with_tables(document, run, results)
    assert CHART.read_text() == chart(results)


def test_a_piece_of_a_stream_tells_the_events_that_are_whole() -> None:
    whole, begun = b'event: RunStarted\ndata: {"event":"RunStarted"}\n\n', b'event: RunContent\ndata: {"event":"Ru'
    assert list(events(whole + begun)) == [{"event": "RunStarted"}]
    assert list(events(b'nContent"}\n\n' + whole)) == [{"event": "RunStarted"}]
