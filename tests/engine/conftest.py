from __future__ import annotations

import pytest
from agno.agent import Agent
from agno.team import Team
from agno.workflow import Workflow

from agentos_lambda.engine.engine import AgnoEngine
from tests.engine import samples
from tests.engine.playing import engine_of


@pytest.fixture
def assistant() -> Agent:
    return samples.assistant()


@pytest.fixture
def companion() -> Agent:
    return samples.companion()


@pytest.fixture
def newsroom() -> Team:
    return samples.newsroom()


@pytest.fixture
def letter() -> Workflow:
    return samples.letter()


@pytest.fixture
def broken() -> Workflow:
    return samples.broken()


@pytest.fixture
def reviewed() -> Workflow:
    return samples.reviewed()


@pytest.fixture
def engine(assistant: Agent, companion: Agent, newsroom: Team, letter: Workflow, broken: Workflow) -> AgnoEngine:
    return engine_of(assistant, companion, newsroom, letter, broken)
