"""A boto3 client of Bedrock whose errors say what to do, and the same client for asyncio."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any, Self

from agentos_lambda.engine.models.bedrock_errors import BedrockRefused, explained

_END = object()


class ExplainingBedrock:
    """A boto3 client. Those calls that agno makes raise ``BedrockRefused`` where Bedrock gives no answer."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        """Everything else is the client's own."""
        return getattr(self._client, name)

    def converse(self, **request: Any) -> Any:
        return self._call("converse", request)

    def count_tokens(self, **request: Any) -> Any:
        return self._call("count_tokens", request)

    def converse_stream(self, **request: Any) -> Any:
        response = self._call("converse_stream", request)
        return {**response, "stream": _Stream(response["stream"], request["modelId"], self._region)}

    def _call(self, operation: str, request: dict[str, Any]) -> Any:
        with explained(request["modelId"], self._region):
            return getattr(self._client, operation)(**request)

    def _region(self) -> str:
        """The region that is asked, which an endpoint of its own may name otherwise than the client's setting."""
        meta = self._client.meta
        named = re.search(r"//bedrock-runtime\.([a-z0-9-]+)\.", meta.endpoint_url)
        return named[1] if named else str(meta.region_name)


class _Stream(Iterator[Any]):
    """The chunks of an answer. Blocks until the next one comes."""

    def __init__(self, stream: Any, model: str, region: Callable[[], str]) -> None:
        self._stream = stream
        self._chunks = iter(stream)
        self._model = model
        self._region = region

    def __next__(self) -> Any:
        with explained(self._model, self._region):
            return next(self._chunks)

    def close(self) -> None:
        """Close the connection. Waits for the read in progress."""
        self._stream.close()

    def break_off(self) -> None:
        """End the read that is in progress in another thread. botocore itself offers no way to do so."""
        with suppress(AttributeError, OSError, ValueError):
            self._stream._raw_stream.shutdown()  # noqa: SLF001


class ThreadedBedrock:
    """What agno takes for an asynchronous client: each call of ``ExplainingBedrock`` in a thread.

    ``make_client`` gives a boto3 client. It is called in a thread, for each call.
    """

    def __init__(self, make_client: Callable[[], Any]) -> None:
        self._make_client = make_client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """The boto3 client stays open: it may serve others."""

    async def converse(self, **request: Any) -> Any:
        return await self._call("converse", request)

    async def count_tokens(self, **request: Any) -> Any:
        return await self._call("count_tokens", request)

    async def converse_stream(self, **request: Any) -> Any:
        response = await self._call("converse_stream", request)
        return {**response, "stream": _read_in_threads(response["stream"])}

    async def _call(self, operation: str, request: dict[str, Any]) -> Any:
        def call() -> Any:
            return getattr(ExplainingBedrock(self._make_client()), operation)(**request)

        return await asyncio.to_thread(call)


async def _read_in_threads(stream: _Stream) -> AsyncIterator[Any]:
    """The stream chunk by chunk. A consumer that stops in its middle ends the read that is under way."""
    chunk: Any = None
    try:
        while (chunk := await asyncio.to_thread(next, stream, _END)) is not _END:
            yield chunk
    except BedrockRefused:
        chunk = _END
        raise
    finally:
        if chunk is _END:
            stream.close()
        else:
            stream.break_off()
