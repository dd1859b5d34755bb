"""Media that nothing in a component would get.

agno's model adapters leave out what their provider does not take, log a warning, and let the model answer without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agno.agent import Agent
from agno.models.base import Model
from agno.team import Team

from agentos_lambda.engine.components.media_tools import OF_THE_RUN, media_asked_for
from agentos_lambda.engine.components.parts import models_of, parts
from agentos_lambda.runs.model import Media

_BUT_IMAGES = frozenset({"audio", "video", "file"})
_LEFT_OUT = {
    "agno.models.anthropic.claude.Claude": frozenset({"audio", "video"}),
    "agno.models.aws.bedrock.AwsBedrock": frozenset({"audio"}),
    "agno.models.aws.claude.Claude": frozenset({"audio", "video"}),
    "agno.models.groq.groq.Groq": _BUT_IMAGES,
    "agno.models.mistral.mistral.MistralChat": _BUT_IMAGES,
    "agno.models.ollama.chat.Ollama": _BUT_IMAGES,
    "agno.models.openai.chat.OpenAIChat": frozenset({"video"}),
    "agno.models.openai.responses.OpenAIResponses": frozenset({"audio", "video"}),
}
"""What agno 3.1's adapters leave out. Subclasses may do it in another way, so they do not count."""


def untaken(component: object, media: Sequence[Media]) -> str | None:
    """In words, the first medium that no model, tool or hook of an agent or a team would get; None if there is none.

    The functions of a workflow get all of them.
    """
    if not media or not isinstance(component, Agent | Team):  # models are looked for in all that a component has
        return None
    models = list(models_of(component))
    for place, medium in enumerate(media):
        left_out = bool(models) and all(medium.kind in _left_out_by(model) for model in models)
        if left_out and not any(_reads(part, medium.kind) for part in parts(component)):
            named = ", ".join(dict.fromkeys(model.id for model in models))
            return f"{medium.kind} {place + 1}: agno hands no {medium.kind} to {named}"
    return None


def _left_out_by(model: Model) -> frozenset[str]:
    return _LEFT_OUT.get(f"{type(model).__module__}.{type(model).__qualname__}", frozenset())


def _reads(part: Any, kind: str) -> bool:
    """Whether something else of the part than a model may get the run's media, or is only known at run time."""
    if not part.send_media_to_model or part.pre_hooks or part.reasoning_agent is not None:
        return True
    if callable(part.tools) or callable(getattr(part, "members", None)):
        return True
    return OF_THE_RUN[kind] in media_asked_for(part.tools)
