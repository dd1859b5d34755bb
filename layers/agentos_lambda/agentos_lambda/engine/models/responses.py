"""Errors in the middle of a stream of OpenAI's Responses.

agno 3.1 reads past some of them, and completes the run with half a text.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from agno.exceptions import ModelProviderError

_NO_REASON = "The model failed in the middle of its answer."


def raise_errors_of_streams(responses: Any) -> None:
    """Have agno's class ``OpenAIResponses`` raise ``ModelProviderError`` for the events ``error`` and
    ``response.failed``."""
    parse = responses._parse_provider_response_delta  # noqa: SLF001 - where agno looks at each event

    @wraps(parse)
    def parse_or_raise(self: Any, stream_event: Any, *arguments: Any, **options: Any) -> Any:
        if stream_event.type == "error":
            raise ModelProviderError(stream_event.message or _NO_REASON, model_name=self.name, model_id=self.id)
        if stream_event.type == "response.failed":
            error = stream_event.response.error
            raise ModelProviderError(
                error.message if error is not None else _NO_REASON, model_name=self.name, model_id=self.id
            )
        return parse(self, stream_event, *arguments, **options)

    responses._parse_provider_response_delta = parse_or_raise  # noqa: SLF001
