"""What checkov and cfn-lint say of the template as CloudFormation gets it. Each exception has its reason."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.stack.translation import ROOT, cloudformation, translate

pytestmark = pytest.mark.build

CHECKOV = ROOT / ".venvs/checkov/bin/checkov"
CFN_LINT = ROOT / ".venvs/sam/bin/cfn-lint"

CUSTOMER_KEY = "encrypted with AWS's own key; a customer's key costs a dollar a month, and 0.03 $ for 10,000 requests"
EXCEPTIONS = {
    "CKV_AWS_115": "functions share the account's concurrency; the worker's is bounded by its event source",
    "CKV_AWS_116": "only the sweeper is invoked asynchronously, and the next sweep makes up for one that failed",
    "CKV_AWS_117": "they use public AWS endpoints only; a VPC would need a NAT gateway or seven endpoints",
    "CKV_AWS_119": CUSTOMER_KEY,
    "CKV_AWS_120": "answers differ by caller; API Gateway does not cache what streams",
    "CKV_AWS_149": CUSTOMER_KEY,
    "CKV_AWS_158": CUSTOMER_KEY,
    "CKV_AWS_173": "no variable is a secret: the key is read from its secret",
    "CKV_AWS_18": "only the stack's own functions read the bucket; CloudTrail data events tell more",
    "CKV_AWS_21": "objects lie under immutable keys: none has a second version",
    "CKV_AWS_26": "alarms cannot be sent to a topic that AWS's own key encrypts; they hold no data",
    "CKV_AWS_27": CUSTOMER_KEY,
}
OF_ONE_RESOURCE = {
    ("CKV_AWS_28", "AWS::DynamoDB::Table.ConnectionsTable"): "nothing in it outlives its connection: two hours at most",
    ("CKV_AWS_28", "AWS::DynamoDB::Table.RunEventsTable"): "nothing in it outlives EventsRetention: a day",
}


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Check -> the resources that have failed it, of a stack with everything that parameters bring in."""
    template = tmp_path_factory.mktemp("checkov") / "template.json"
    template.write_text(json.dumps({"Resources": translate(AlarmEmail="ops@example.com", DeletionProtection="true")}))
    done = subprocess.run(
        [CHECKOV, "--file", template, "--framework", "cloudformation", "--output", "json", "--skip-download"],
        capture_output=True,
        text=True,
        check=False,
    )
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 0
    found: dict[str, set[str]] = {}
    for check in report["results"]["failed_checks"]:
        if (check["check_id"], check["resource"]) not in OF_ONE_RESOURCE:
            found.setdefault(check["check_id"], set()).add(check["resource"])
    return found


def test_checkov_finds_nothing_but_the_exceptions(failed: dict[str, set[str]]) -> None:
    assert {check: resources for check, resources in failed.items() if check not in EXCEPTIONS} == {}


def test_every_exception_is_still_needed(failed: dict[str, set[str]]) -> None:
    assert EXCEPTIONS.keys() <= failed.keys()


def test_cfn_lint_finds_nothing_in_what_cloudformation_gets(tmp_path: Path) -> None:
    template = tmp_path / "template.json"
    template.write_text(json.dumps(cloudformation()))
    done = subprocess.run([CFN_LINT, template], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
