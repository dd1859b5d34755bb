"""A function's handler, whose answers say in the header ``x-cpu-ns`` what CPU they took, in all threads of the process.

Without the runtime loop: on Lambda the naive bundle has another one.
"""

from __future__ import annotations

import time
from dataclasses import replace
from importlib import import_module
from typing import Any

from agentos_lambda.aws.handlers.sink import CollectingSink, Sink
from agentos_lambda.aws.runtime.loop import StreamingHandler

_handler: Any = import_module("app").handler


class Measured:
    """Implements ``StreamingHandler``. An answer goes out when it is whole."""

    def streams(self, event: Any) -> bool:
        return isinstance(_handler, StreamingHandler) and _handler.streams(event)

    def __call__(self, event: Any, context: Any) -> Any:
        began = time.process_time_ns()
        answer = _handler(event, context)
        return {**answer, "headers": {**answer["headers"], "x-cpu-ns": str(time.process_time_ns() - began)}}

    async def stream(self, event: Any, context: Any, sink: Sink) -> None:
        kept, began = CollectingSink(), time.process_time_ns()
        await _handler.stream(event, context, kept)
        took = time.process_time_ns() - began
        if kept.prelude is None:
            raise RuntimeError("there is no answer")
        await sink.start(replace(kept.prelude, headers=(*kept.prelude.headers, (b"x-cpu-ns", b"%d" % took))))
        await sink.write(bytes(kept.body))
        await sink.finish(kept.error)


handler = Measured()
