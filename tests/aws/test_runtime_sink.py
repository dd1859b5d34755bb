"""A streamed answer on its way to the Runtime API, seen from inside the event loop."""

import asyncio
import socket
import struct
from contextlib import asynccontextmanager, suppress

import pytest

from agentos_lambda.aws.handlers.prelude import Prelude
from agentos_lambda.aws.runtime.api import Invocation, RuntimeApi
from tests.waiting import PATIENCE_SECONDS


def invocation():
    return Invocation({"lambda-runtime-aws-request-id": "the-id"}, b"")


@asynccontextmanager
async def begun(prelude):
    """The sink of an answer that has begun, and the Runtime API's end of its connection."""
    connected = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda *streams: connected.set_result(streams), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    sink = RuntimeApi(f"{host}:{port}").stream(invocation())
    await sink.start(prelude)
    reader, writer = await connected
    async with asyncio.timeout(PATIENCE_SECONDS):
        yield sink, reader, writer
    writer.close()
    await writer.wait_closed()
    server.close()


def test_an_answer_that_is_accepted_early_is_over_only_when_all_of_it_has_been_sent():
    async def scenario():
        async with begun(Prelude(200)) as (sink, reader, writer):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            pieces = 0
            while not sink._open()[1].transport.get_write_buffer_size():  # until the sockets take no more
                await sink.write(b"x" * 1024)
                pieces += 1
            finishing = asyncio.create_task(sink.finish())
            for _ in range(100):
                await asyncio.sleep(0)
            assert not finishing.done()
            body = await reader.read()
            await finishing
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
    sink = RuntimeApi("127.0.0.1:1").stream(invocation())
    broken = BrokenWriter()
    sink._streams = None, broken
    with pytest.raises(BrokenPipeError):
        asyncio.run(sink.write(b"x"))
    assert broken.closed


def test_only_what_ends_an_answer_of_a_named_length_waits_for_the_end_of_the_answer():
    async def scenario():
        async with begun(Prelude(200, ((b"Content-Length", b"10"),))) as (sink, reader, writer):
            await sink.write(b"first")
            await reader.readuntil(b"5\r\nfirst\r\n")  # though the app may take minutes for the rest
            await sink.write(b"other")
            finishing = asyncio.create_task(sink.finish())
            assert await reader.read(64 * 1024) == b"5\r\nother\r\n0\r\n\r\n"
            writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await finishing

    asyncio.run(scenario())


def reset(writer):
    """Have its closing drop the connection (RST)."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    ("answer", "closes", "connections"),
    [
        pytest.param(b"Content-Length: 2\r\n\r\n{}", False, 1, id="kept"),
        pytest.param(b"Content-Length: 2\r\n\r\n{}", True, 2, id="closed without a word"),
        pytest.param(b"Content-Length: 0\r\nConnection: close\r\n\r\n", True, 2, id="closed"),
        pytest.param(b"Content-Length: 2\r\n\r\n{}", reset, 2, id="reset while the loop runs"),
        pytest.param(b"\r\n", False, 2, id="of unknown length"),
    ],
)
def test_answers_share_a_connection_for_as_long_as_the_runtime_api_keeps_it(answer, closes, connections):
    async def scenario():
        served, taken, answered, closed = [], [], asyncio.Event(), asyncio.Event()

        async def serve(reader, writer):
            served.append(writer)
            with suppress(asyncio.IncompleteReadError):
                while body := await reader.readuntil(b"\r\n0\r\n\r\n"):
                    taken.append(body)
                    writer.write(b"HTTP/1.1 202 Accepted\r\n" + answer)
                    if closes:
                        await writer.drain()
                        await answered.wait()
                        break
            if closes is reset:
                reset(writer)
            writer.close()
            await writer.wait_closed()
            closed.set()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        api = RuntimeApi(f"{host}:{port}")
        for text in (b"first", b"second"):
            sink = api.stream(invocation())
            await sink.start(Prelude(200))
            await sink.write(text)
            await sink.finish()
            if closes:
                answered.set()
                await closed.wait()
                answered.clear()
                closed.clear()
            _, kept = sink._open()
            if closes is reset:
                with suppress(ConnectionResetError):
                    await kept.wait_closed()
        kept.close()
        with suppress(ConnectionResetError):
            await kept.wait_closed()
        for writer in served:
            writer.close()
            await writer.wait_closed()
        server.close()
        assert len(served) == connections
        assert [text in body for text, body in zip((b"first", b"second"), taken, strict=True)] == [True, True]

    asyncio.run(scenario())
