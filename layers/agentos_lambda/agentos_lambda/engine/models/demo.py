"""A model that needs no network and always answers the same: to try components, and to test them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from agno.metrics import MessageMetrics
from agno.models.base import Model
from agno.models.message import Message
from agno.models.response import ModelResponse

from agentos_lambda.engine.models.demo_rules import Reply, reply_to
from agentos_lambda.engine.models.setting import DEMO


@dataclass
class DemoModel(Model):
    """Answers by plain rules, word by word. It reads the user's last message, line by line:

    ======================== ==============================================================================
    ``add 2 and 3``          calls the tool ``add``, if there is one, its parameters in order: 2, 3
    ``call NAME {"a": 1}``   calls the tool NAME with these arguments
    ``ask MEMBER: TASK``     lets a team's member do the task (``ask everyone: TASK`` in the mode broadcast: all)
    ``what did I say?``      quotes the user's message before this one
    ``[slow 20ms]``          waits that long before each word (also ``[slow 2s]``)
    ``[hang]``               never answers
    ``[fail]``               raises an error (``[fail TEXT]``: with this text)
    ======================== ==============================================================================

    What tools and members gave is repeated. Of each image, audio, video and file it says kind, name, size and
    SHA-256. Where an answer in JSON is asked for, a JSON object within the message is the answer. Everything else is
    answered with what was said. A word counts as a token.
    """

    id: str = DEMO.id
    name: str | None = DEMO.name
    provider: str | None = DEMO.provider

    def invoke(self, *_: Any, messages: list[Message], tools: Any = None, **options: Any) -> ModelResponse:
        reply = reply_to(messages, tools, as_json=options.get("response_format") is not None)
        if reply.hang:
            threading.Event().wait()
        time.sleep(reply.pause_seconds * len(reply.words))
        return _whole(reply, messages)

    def invoke_stream(
        self, *_: Any, messages: list[Message], tools: Any = None, **options: Any
    ) -> Iterator[ModelResponse]:
        reply = reply_to(messages, tools, as_json=options.get("response_format") is not None)
        if reply.hang:
            threading.Event().wait()
        for word in reply.words:
            time.sleep(reply.pause_seconds)
            yield ModelResponse(role="assistant", content=word)
        yield _end(reply, messages)

    async def ainvoke(self, *_: Any, messages: list[Message], tools: Any = None, **options: Any) -> ModelResponse:
        reply = reply_to(messages, tools, as_json=options.get("response_format") is not None)
        if reply.hang:
            await asyncio.Event().wait()
        await asyncio.sleep(reply.pause_seconds * len(reply.words))
        return _whole(reply, messages)

    async def ainvoke_stream(
        self, *_: Any, messages: list[Message], tools: Any = None, **options: Any
    ) -> AsyncIterator[ModelResponse]:
        reply = reply_to(messages, tools, as_json=options.get("response_format") is not None)
        if reply.hang:
            await asyncio.Event().wait()
        for word in reply.words:
            await asyncio.sleep(reply.pause_seconds)
            yield ModelResponse(role="assistant", content=word)
        yield _end(reply, messages)

    def _parse_provider_response(self, response: ModelResponse, **_: Any) -> ModelResponse:
        return response

    def _parse_provider_response_delta(self, response: ModelResponse) -> ModelResponse:
        return response


def _whole(reply: Reply, messages: list[Message]) -> ModelResponse:
    response = _end(reply, messages)
    response.content = "".join(reply.words) or None
    return response


def _end(reply: Reply, messages: list[Message]) -> ModelResponse:
    read = sum(len(message.get_content_string().split()) for message in messages)
    written = len(reply.words) + sum(len(call["function"]["arguments"].split()) + 1 for call in reply.tool_calls)
    return ModelResponse(
        role="assistant",
        tool_calls=reply.tool_calls,
        response_usage=MessageMetrics(input_tokens=read, output_tokens=written, total_tokens=read + written),
    )
