"""A function whose every path shows one rule of a streamed answer."""

import asyncio
import os
import resource
import time
from pathlib import Path

from agentos_lambda.aws.handlers.http import LambdaHandler

SIGNALS = Path(os.environ["SIGNALS"])
"""Where test and function leave word for each other."""
PIECE = b"x" * 2**20
HELD_BACK = 0.5
"""Seconds that a piece may take to go out before it counts as held back."""


async def signal(name):
    """Wait until the test writes to the named pipe."""
    await asyncio.to_thread((SIGNALS / name).read_bytes)


def note(word):
    with (SIGNALS / "notes").open("a") as notes:
        notes.write(f"{word}\n")


class Answer:
    def __init__(self, send):
        self._send = send

    async def start(self, status=200, content_type=b"text/plain", headers=()):
        head = [(b"content-type", content_type), *headers]
        await self._send({"type": "http.response.start", "status": status, "headers": head})

    async def piece(self, data, *, more=True):
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def whole(self, data=b"", **head):
        await self.start(**head)
        await self.piece(data, more=False)


async def status(answer, number):
    await answer.whole(status=int(number))


async def length(answer, number):
    await answer.whole(b"x" * int(number), headers=[(b"content-length", number.encode())])


async def cookies(answer, number):
    await answer.whole(status=int(number), headers=[(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")])


async def header(answer, size):
    await answer.whole(headers=[(b"x-large", b"a" * int(size))])


async def process(answer, _):
    note("process")
    await answer.whole(b"%d" % os.getpid())


async def times(answer, count):
    """Pieces that say when they were made, each after the first only when the test has the one before."""
    await answer.start()
    for number in range(int(count)):
        if number:
            await signal("go")
        await answer.piece(b"%f" % time.monotonic())
    await answer.piece(b"", more=False)


async def large(answer, count):
    """Many pieces; notes how many have gone out when one is held back. The last says by how many MiB memory grew."""
    await answer.start()
    before = _peak()
    for number in range(int(count)):
        going = asyncio.ensure_future(answer.piece(PIECE))
        if not (await asyncio.wait({going}, timeout=HELD_BACK))[0]:
            note(number)
        await going
    await answer.piece(b"%d" % (_peak() - before), more=False)


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


async def breaks(answer, kind):
    content_type = b"text/event-stream" if kind == "events" else b"text/plain"
    await answer.start(content_type=content_type)
    await answer.piece(b"data: first\n\n")
    raise RuntimeError("after the first byte")


async def raises(_answer, _):
    raise RuntimeError("before the first byte")


async def goes_on(answer, _):
    """Work between two pieces, and after the last."""
    await answer.start()
    await answer.piece(b"first")
    await signal("go")
    await answer.piece(b"last", more=False)
    await signal("end")
    note("ended")


ANSWERS = (status, cookies, length, header, process, times, large, breaks, raises, goes_on)
PATHS = {each.__name__: each for each in ANSWERS}


async def app(scope, _receive, send):
    _, name, argument = scope["path"].split("/")
    await PATHS[name](Answer(send), argument)


handler = LambdaHandler(app)
