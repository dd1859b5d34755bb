"""`make smoke` finds nothing wrong with a stack that runs, and finds what is planted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scripts.smoke import __main__ as smoke
from scripts.smoke import http_checks, websocket_checks
from scripts.smoke.checks import CHECKS, Check, Result, run
from scripts.smoke.target import Target, discover
from tests.contract import faulty_proxy
from tests.contract.faulty_proxy import proxy
from tests.contract.stack import silent_server
from tests.local_stack import StackProcess

pytestmark = pytest.mark.sample

ORIGIN = "https://os.agno.com"


@pytest.fixture
def target(stack: StackProcess) -> Target:
    return discover(stack.url, None, streams=True, origin=ORIGIN)


def check(name: str) -> Check:
    [found] = [each for each in CHECKS if each.run.__name__ == name]
    return found


def result(target: Target, name: str) -> Result:
    [found] = run(target, [check(name)])
    return found


def test_nothing_is_wrong_with_a_stack_that_runs(stack: StackProcess, capsys: pytest.CaptureFixture[str]) -> None:
    status = smoke.main(["--url", stack.url])
    *rows, counted = capsys.readouterr().out.splitlines()
    assert status == 0, rows
    assert counted == f"{len(CHECKS) - 2} passed, 0 failed, 2 skipped"
    assert [row.split(maxsplit=1)[0] for row in rows].count("pass") == len(CHECKS) - 2


@pytest.mark.parametrize(
    ("fault", "name", "seen"),
    [
        (faulty_proxy.BUFFERS, "streams", "events within"),
        (faulty_proxy.CUTS_STREAMS, "streams", "the last event is"),
        (faulty_proxy.CANCELS, "survives_a_disconnect", "the run is CANCELLED"),
        (faulty_proxy.CUTS_STREAMS, "reports_a_failing_component", "the stream ends with"),
        (faulty_proxy.SPOILS_UPLOADS, "takes_an_upload", "other bytes"),
        (faulty_proxy.OWN_ERRORS, "refuses_a_large_upload", "JSONDecodeError"),
        (faulty_proxy.OWN_ERRORS, "has_one_format_of_errors", "instead of NOT_FOUND"),
        (faulty_proxy.DROPS_CORS, "lets_pages_call", "the preflight allows None"),
        (faulty_proxy.REFUSES, "runs_in_the_background", "gave 405"),
        (faulty_proxy.REFUSES, "lists_sessions", "gave 405"),
        (faulty_proxy.REFUSES, "keeps_memories", "gave 405"),
        (faulty_proxy.REFUSES, "cancels_from_elsewhere", "no event"),
    ],
)
def test_a_fault_between_client_and_stack_turns_its_row_red(target: Target, fault: str, name: str, seen: str) -> None:
    with proxy(target.url, fault) as url:
        found = result(replace(target, url=url), name)
    assert (found.outcome, seen in found.seen) == ("FAIL", True), found
    assert found.look


def test_what_the_proxy_passes_on_unchanged_is_right(target: Target) -> None:
    with proxy(target.url, "none") as url:
        through = replace(target, url=url)
        for name in ("streams", "has_one_format_of_errors", "lets_pages_call"):
            assert result(through, name).outcome == "pass"


def test_a_stack_that_lets_everybody_in_is_noticed(target: Target) -> None:
    open_to_all = replace(target, key="a key")
    assert result(open_to_all, "requires_the_key").seen.startswith("no key gave 200")
    assert "takes everybody" in result(open_to_all, "greets_and_authenticates").seen


def test_a_websocket_that_does_not_answer_is_noticed(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_checks, "OPEN_SECONDS", 0.2)
    with silent_server() as url:
        silent = replace(target, websocket=url.replace("http", "ws"))
        for name in ("greets_and_authenticates", "follows_and_rejoins"):
            assert result(silent, name).outcome == "FAIL"


def test_a_silent_run_is_waited_for_if_there_is_time(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_checks, "SILENT_PAUSE_SECONDS", 0.05)
    [found] = run(target, [check("outlasts_silence")], slow=True)
    assert found.outcome == "pass", found


def test_an_agent_with_a_model_of_its_own_is_not_told_what_to_do(target: Target) -> None:
    assert result(replace(target, obeys=False), "reports_a_failing_component").outcome == "skip"


def test_what_is_no_stack_is_said_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert smoke.main(["--url", "http://127.0.0.1:9"]) == 2
    assert capsys.readouterr().err.startswith("http://127.0.0.1:9 cannot be driven: ")
