"""Bedrock's client for asyncio, over the boto3 client that the runtime has: no aioboto3 in the bundle."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from agentos_lambda.engine.models.bedrock_errors import BedrockRefused, explained

_END = object()

_READ_TIMEOUT_SECONDS = 300
"""A whole answer arrives after the model has written all of it, which takes minutes for a long one. boto3 by default
waits for one minute and then asks again, up to four times: each try is billed, and none is waited for."""


def patient_client() -> Any:
    """A boto3 client of Bedrock, by the environment, that waits for long answers.

    Not made by ``stores.clients``: a components file makes its models itself, so nobody can hand a client in.
    """
    import boto3  # noqa: PLC0415 - takes long
    from botocore.config import Config  # noqa: PLC0415

    # boto3 itself reads AWS_DEFAULT_REGION only.
    region = os.environ.get("AWS_REGION")
    return boto3.client("bedrock-runtime", region_name=region, config=Config(read_timeout=_READ_TIMEOUT_SECONDS))


class ThreadedBedrock:
    """What agno's ``AwsBedrock(async_client=…)`` calls, each call in a thread. The client is made with the first.

    Every call raises ``BedrockRefused`` where Bedrock gives no answer.
    """

    def __init__(self, make_client: Callable[[], Any]) -> None:
        self._make_client = make_client
        self._made: Any = None
        self._making = threading.Lock()

    async def converse(self, **request: Any) -> Any:
        return await self._call("converse", request)

    async def count_tokens(self, **request: Any) -> Any:
        return await self._call("count_tokens", request)

    async def converse_stream(self, **request: Any) -> Any:
        response = await self._call("converse_stream", request)
        return {**response, "stream": _chunks(response["stream"], request["modelId"], self._region())}

    async def _call(self, operation: str, request: dict[str, Any]) -> Any:
        def call() -> Any:
            client = self._client()
            with explained(request["modelId"], self._region()):
                return getattr(client, operation)(**request)

        return await asyncio.to_thread(call)

    def _region(self) -> str:
        """The region that is asked, which an endpoint of its own may name otherwise than the client's setting."""
        meta = self._client().meta
        named = re.search(r"//bedrock-runtime\.([a-z0-9-]+)\.", meta.endpoint_url)
        return named[1] if named else str(meta.region_name)

    def _client(self) -> Any:
        with self._making:
            if self._made is None:
                self._made = self._make_client()
            return self._made


async def _chunks(stream: Any, model: str, region: str) -> AsyncIterator[Any]:
    """The stream chunk by chunk. Whoever stops in its middle ends the read that is under way."""
    iterator = iter(stream)
    chunk: Any = None

    def read() -> Any:
        with explained(model, region):
            return next(iterator, _END)

    try:
        while (chunk := await asyncio.to_thread(read)) is not _END:
            yield chunk
    except BedrockRefused:
        chunk = _END
        raise
    finally:
        if chunk is _END:
            stream.close()
        else:
            # close() waits for the read in progress, and botocore offers no other way to end it.
            with suppress(AttributeError, OSError, ValueError):
                stream._raw_stream.shutdown()  # noqa: SLF001
