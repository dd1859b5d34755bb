"""The names of events are agno's."""

import pytest
from agno.run.agent import RunEvent
from agno.run.team import TeamRunEvent
from agno.run.workflow import WorkflowRunEvent

from agentos_lambda.protocol.events import (
    ERROR_EVENTS,
    STREAMED_TEXT_EVENTS,
    TERMINAL_EVENTS,
    TEXT_EVENTS,
    is_text,
    speaker_of,
    terminal_event,
)
from agentos_lambda.protocol.values import Kind, RunStatus

AGNOS = {Kind.AGENT: RunEvent, Kind.TEAM: TeamRunEvent, Kind.WORKFLOW: WorkflowRunEvent}


def names(kind: Kind) -> set[str]:
    return {event.value for event in AGNOS[kind]}


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_four_terminal_events_of_its_own(kind):
    assert TERMINAL_EVENTS[kind] <= names(kind)
    assert len(TERMINAL_EVENTS[kind]) == 4
    assert not any(TERMINAL_EVENTS[kind] & TERMINAL_EVENTS[other] for other in Kind if other is not kind)


@pytest.mark.parametrize(
    ("kind", "status", "name"),
    [
        (Kind.AGENT, RunStatus.COMPLETED, "RunCompleted"),
        (Kind.TEAM, RunStatus.CANCELLED, "TeamRunCancelled"),
        (Kind.WORKFLOW, RunStatus.PAUSED, "WorkflowPaused"),
    ],
)
def test_a_terminal_event_is_named_for_kind_and_status(kind, status, name):
    assert terminal_event(kind, status) == name


def test_each_kind_has_one_error_event():
    assert {"RunError", "TeamRunError", "WorkflowError"} == ERROR_EVENTS


def test_text_comes_from_agents_and_teams():
    assert {RunEvent.run_content.value, TeamRunEvent.run_content.value} == TEXT_EVENTS


def test_what_a_model_streams_is_text_whatever_it_is_for():
    names = ("run_content", "run_intermediate_content", "reasoning_content_delta")
    assert {kind[name].value for kind in (RunEvent, TeamRunEvent) for name in names} == STREAMED_TEXT_EVENTS


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"content": "a"}, True),
        ({"content": ""}, True),
        ({"content": None, "reasoning_content": "a"}, True),
        ({"content": {"an": "object"}}, False),
        ({"content": "a", "reasoning_content": 1}, False),
        ({"content": None, "response_audio": {"content": "UklGRg=="}}, False),
        ({}, False),
    ],
)
def test_only_an_event_with_text_is_text(fields, expected):
    assert is_text({"event": "RunContent", **fields}) is expected
    assert not is_text({"event": "RunContentCompleted", **fields})


def test_two_runs_of_one_agent_are_two_speakers():
    first, second = ({"run_id": run_id, "agent_id": "a"} for run_id in ("r-1", "r-2"))
    assert speaker_of(first) != speaker_of(second)
    assert speaker_of({**first, "event": "RunContent"}) == speaker_of({**first, "event": "ReasoningContentDelta"})
