"""The account and the region of everything local are written down in one place."""

import re

import pytest

from local.account import ACCOUNT_ID, REGION, arn, function_arn
from local.settings import ROOT

PLACE = ROOT / "local" / "account.py"
PROGRAMS = [path for folder in ("local", "scripts") for path in (ROOT / folder).rglob("*.py") if path != PLACE]


def test_they_are_those_that_the_local_cloud_serves_to_any_credentials():
    assert (ACCOUNT_ID, REGION) == ("000000000000", "us-east-1")


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_other_program_writes_them_itself(path):
    assert not re.search(f"{ACCOUNT_ID}|{REGION}", path.read_text())


def test_arns_name_both():
    assert arn("sqs", "RunsQueue") == "arn:aws:sqs:us-east-1:000000000000:RunsQueue"
    assert function_arn("AgentsFunction") == "arn:aws:lambda:us-east-1:000000000000:function:AgentsFunction"
