"""What a session is called after its first run."""

import pytest

from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.titles import MAX_TITLE_LENGTH, title_of

ASKED = {"role": "user", "content": "asked"}


@pytest.mark.parametrize(
    ("run", "title"),
    [
        (
            {"messages": [{"role": "system", "content": "be kind"}, ASKED, {"role": "user", "content": "again"}]},
            "asked",
        ),
        ({"messages": [{"role": "user", "content": "earlier", "from_history": True}, ASKED]}, "asked"),
        ({"messages": [{"role": "user", "content": ""}], "input": {"input_content": "given"}}, "given"),
        ({"input": {"input_content": {"subject": "ships"}}}, '{"subject": "ships"}'),
        ({"messages": [{"role": "user", "content": "half a pair: \ud83d"}]}, "half a pair: ?"),
        ({"messages": [{"role": "user", "content": "x" * 999}]}, "x" * MAX_TITLE_LENGTH),
        ({"messages": None, "input": None}, None),
        ({}, None),
    ],
)
def test_it_is_called_by_what_the_user_said_first(run, title):
    assert title_of(Kind.AGENT, run) == title


def test_a_workflows_session_is_called_by_its_input_alone():
    assert title_of(Kind.WORKFLOW, {"messages": [ASKED], "input": "a letter"}) == "a letter"
    assert title_of(Kind.WORKFLOW, {"input": {"subject": "Grüße"}}) == '{"subject": "Grüße"}'
