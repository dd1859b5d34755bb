"""The local Runtime API, spoken to as any runtime would."""

import asyncio
import re

import pytest

from local.functions.invocation import Invocation, InvocationFailed
from local.functions.runtime_server import MAX_ANSWER_BYTES, RuntimeServer

PATH = b"/2018-06-01/runtime/invocation/"
CLOSE = b"Connection: close\r\n"
STREAMING = b"Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n"


class Tenant:
    """Has one invocation in hand."""

    def __init__(self):
        self.invocation = Invocation(b'{"an": "event"}', timeout_seconds=1, request_id="the-id")

    async def next(self):
        self.invocation.begin()
        return self.invocation

    def current(self, request_id):
        return self.invocation if request_id == "the-id" else None


def exchange(*parts, cut=False):
    """What the server answers to these bytes, what a reader of the invocation gets, and whether it was over by then."""

    async def read(invocation):
        return [piece async for piece in invocation.pieces()]

    async def run():
        tenant = Tenant()
        server = RuntimeServer(tenant, function_arn="arn:x")
        host, port = (await server.start()).split(":")
        reading = asyncio.create_task(read(tenant.invocation))
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.writelines(parts)
            await writer.drain()
            if cut:
                writer.write_eof()
            answer = await reader.read()
            over = tenant.invocation.answered
            if not over:
                reading.cancel()
            [pieces] = await asyncio.gather(reading, return_exceptions=True)
        finally:
            writer.close()
            await server.end_exchanges()
            server.close()
        return answer, pieces, over

    return asyncio.run(run())


def post(path, body, *, headers=CLOSE):
    return b"POST %b HTTP/1.1\r\nHost: x\r\n%bContent-Length: %d\r\n\r\n%b" % (PATH + path, headers, len(body), body)


def stream(*chunks):
    head = b"POST %bthe-id/response HTTP/1.1\r\nHost: x\r\n%b%b\r\n" % (PATH, STREAMING, CLOSE)
    return head + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)


def status(answer):
    return int(answer.split()[1])


def test_next_gives_the_event_and_all_headers():
    answer, _, _ = exchange(b"GET %bnext HTTP/1.1\r\nHost: x\r\n%b\r\n" % (PATH, CLOSE))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == b'{"an": "event"}'
    names = {line.partition(b":")[0] for line in head.splitlines()[1:]}
    assert names >= {
        b"Lambda-Runtime-Aws-Request-Id",
        b"Lambda-Runtime-Deadline-Ms",
        b"Lambda-Runtime-Invoked-Function-Arn",
        b"Lambda-Runtime-Trace-Id",
    }


def test_an_answer_is_whole_before_the_function_hears_that_it_was_accepted():
    answer, pieces, over = exchange(post(b"the-id/response", b"payload"))
    assert (status(answer), pieces, over) == (202, [b"payload"], True)


def test_a_streamed_answer_is_whole_before_the_function_hears_that_it_was_accepted():
    answer, pieces, over = exchange(stream(b"one", b"two"), b"0\r\n\r\n")
    assert (status(answer), b"".join(pieces), over) == (202, b"onetwo", True)


def test_chunks_that_came_together_are_passed_on_together():
    _, pieces, _ = exchange(stream(b"one", b"two") + b"0\r\n\r\n")
    assert pieces == [b"onetwo"]


def test_a_connection_serves_one_request_after_the_other():
    answer, pieces, _ = exchange(
        b"GET %bnext HTTP/1.1\r\nHost: x\r\n\r\n" % PATH,
        post(b"other-id/response", b"{}", headers=b""),
        post(b"the-id/response", b"payload"),
    )
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"403", b"202"]
    assert pieces == [b"payload"]


def test_a_streamed_answer_with_error_trailers_has_failed():
    trailers = b"Lambda-Runtime-Function-Error-Type: X\r\nLambda-Runtime-Function-Error-Body: e30=\r\n"
    answer, pieces, _ = exchange(stream(b"one"), b"0\r\n" + trailers + b"\r\n")
    assert status(answer) == 202
    assert isinstance(pieces, InvocationFailed)


def test_a_streamed_answer_that_is_cut_off_has_failed():
    _, pieces, _ = exchange(stream(b"one"), cut=True)
    assert isinstance(pieces, InvocationFailed)


def test_a_reported_error_fails_the_invocation():
    answer, pieces, _ = exchange(post(b"the-id/error", b"{}"))
    assert status(answer) == 202
    assert isinstance(pieces, InvocationFailed)


def test_an_answer_over_the_limit_is_refused():
    answer, pieces, _ = exchange(post(b"the-id/response", bytes(MAX_ANSWER_BYTES + 1)))
    assert status(answer) == 413
    assert isinstance(pieces, InvocationFailed)


@pytest.mark.parametrize("path", [b"other-id/response", b"other-id/error", b"the-id/unknown"])
def test_an_answer_to_nothing_is_refused(path):
    answer, _, over = exchange(post(path, b"{}"))
    assert (status(answer), over) == (403, False)
