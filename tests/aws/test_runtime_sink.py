"""A streamed answer on its way to the Runtime API, seen from inside the event loop."""

import asyncio
from email.message import Message

import pytest

from agentos_lambda.aws.handlers.prelude import Prelude
from agentos_lambda.aws.runtime.api import Invocation, RuntimeApi


def test_an_answer_that_is_accepted_early_is_over_only_when_all_of_it_has_been_sent():
    async def scenario():
        connected = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(lambda *streams: connected.set_result(streams), "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        headers = Message()
        headers["Lambda-Runtime-Aws-Request-Id"] = "the-id"
        sink = RuntimeApi(f"{host}:{port}").stream(Invocation(headers, b""))
        await sink.start(Prelude(200))
        reader, writer = await connected
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        pieces = 0
        while not sink._open().transport.get_write_buffer_size():  # until the sockets take no more
            await sink.write(b"x" * 1024)
            pieces += 1
        finishing = asyncio.create_task(sink.finish())
        for _ in range(100):
            await asyncio.sleep(0)
        assert not finishing.done()
        body = await reader.read()
        await finishing
        writer.close()
        await writer.wait_closed()
        server.close()
        assert body.count(b"x" * 1024) == pieces
        assert body.endswith(b"0\r\n\r\n")

    asyncio.run(scenario())


class BrokenWriter:
    """A connection that takes nothing, and that nobody has closed so far."""

    closed = False

    def write(self, _data):
        pass

    async def drain(self):
        raise BrokenPipeError

    def close(self):
        self.closed = True


def test_the_socket_of_an_answer_that_cannot_be_written_is_closed():
    headers = Message()
    headers["Lambda-Runtime-Aws-Request-Id"] = "the-id"
    sink = RuntimeApi("127.0.0.1:1").stream(Invocation(headers, b""))
    sink._writer = broken = BrokenWriter()
    with pytest.raises(BrokenPipeError):
        asyncio.run(sink.write(b"x"))
    assert broken.closed
