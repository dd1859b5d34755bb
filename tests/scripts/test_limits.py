"""What `make deploy` says of the account's limit of concurrent executions."""

from __future__ import annotations

import boto3
import pytest

from scripts import deploy
from scripts.limits import UNRESERVED, Concurrency, TooMuchReserved, limit_of, what_follows
from tests.stack.expected import RESERVED
from tests.stack.translation import source, translate

DEFAULTS = {name: declared["Default"] for name, declared in source()["Parameters"].items()}


def asked(**values: int) -> Concurrency:
    return Concurrency.of({**DEFAULTS, **values})


def told(limit: int, concurrency: Concurrency) -> str:
    return " ".join(what_follows(limit, concurrency))


def test_by_default_nothing_is_reserved_and_whoever_deploys_learns_what_that_means() -> None:
    assert asked().reserved == 0
    assert "runs that use them up keep reads and cancels waiting" in told(1000, asked())
    assert "WorkerConcurrency" not in told(1000, asked())


def test_a_new_account_s_ten_are_too_few_for_ten_background_runs_and_callers() -> None:
    assert told(10, asked(WorkerConcurrency=10)).endswith("Lower it, or ask AWS for a higher limit.")


def test_what_is_reserved_is_the_sum_over_the_functions_of_the_template() -> None:
    values = {"RunConcurrency": "50", "ControlConcurrency": "10"}
    stack = translate(**values)
    reserved = sum(int(stack[name]["Properties"].get("ReservedConcurrentExecutions", 0)) for name in RESERVED)
    concurrency = asked(RunConcurrency=50, ControlConcurrency=10)
    assert concurrency.reserved == reserved
    assert f"{1000 - reserved} are left" in told(1000, concurrency)


def test_a_deployment_that_reserves_too_much_is_refused_with_what_may_be_reserved() -> None:
    with pytest.raises(TooMuchReserved, match="RunConcurrency may be 214 here"):
        told(1000, asked(RunConcurrency=215))
    assert 1000 - asked(RunConcurrency=214).reserved >= UNRESERVED
    with pytest.raises(TooMuchReserved, match="RunConcurrency may be 0 here"):
        told(10, asked(RunConcurrency=1))


def test_the_account_is_asked(cloud_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud_url)
    assert limit_of(boto3.Session("a", "b", region_name="eu-west-1")) >= 10


def test_a_deployment_that_cannot_succeed_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy, "limit_of", lambda _session: 10)
    monkeypatch.setattr(deploy, "override", lambda name, _environment: "5" if name == "RunConcurrency" else "")
    with pytest.raises(SystemExit, match="RunConcurrency=5"):
        deploy.tell_limits("default", {}, source()["Parameters"])
