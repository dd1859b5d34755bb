"""Several memories summarised in one, by a model: agno's own strategy."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import cast

from agno.memory.strategies import SummarizeStrategy
from agno.models.base import Model
from agno.models.utils import get_model

from agentos_lambda.engine.memories import as_agno
from agentos_lambda.engine.models.default import default_model
from agentos_lambda.engine.to_json import plain
from agentos_lambda.memories.ports import Summarize, Summary
from agentos_lambda.runs.errors import InvalidRequest, ModelFailed
from agentos_lambda.runs.memories import Memory

log = logging.getLogger(__name__)


def summarizing(setting: str | None) -> Summarize:
    """As ``memories.ports.Summarizer`` says."""
    try:
        model = cast(Model, get_model(setting)) if setting else default_model()
    except ValueError as error:
        raise InvalidRequest(str(error)) from error
    except ImportError as error:
        raise ModelFailed(str(error)) from error
    return partial(_summary_of, model)


async def _summary_of(model: Model, memories: Sequence[Memory]) -> Summary:
    strategy = SummarizeStrategy()
    before = [as_agno(memory) for memory in memories]
    try:
        (made,) = await strategy.aoptimize(before, model)
    except Exception as error:  # an edge: a model may raise anything
        log.warning("memories could not be summarised: %r", error, exc_info=error)
        raise ModelFailed(str(plain(str(error)))) from error
    text = str(plain(made.memory))
    if not text:
        raise ModelFailed("The model said nothing.")
    return Summary(
        text=text,
        topics=None if made.topics is None else sorted(made.topics),
        agent_id=made.agent_id,
        team_id=made.team_id,
        tokens_before=strategy.count_tokens(before),
        tokens=strategy.count_tokens([made]),
    )
