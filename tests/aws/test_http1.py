"""Answers of a Runtime API, as the runtime reads them."""

import asyncio
import socket
import threading
from io import BytesIO

import pytest

from agentos_lambda.aws.runtime.connection import Connection, Endpoint, read_in_small_buffers
from agentos_lambda.aws.runtime.http1 import MAX_HEAD_BYTES, Head, MalformedAnswer, Received, read_answer
from tests.waiting import PATIENCE_SECONDS, until_async

ACCEPTED = b"HTTP/1.1 202 Accepted\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


def received(answer, at_once=64 * 1024):
    """What comes over a connection that ends after it. ``at_once``: the most bytes that come together."""
    source = BytesIO(answer)
    return Received(lambda most: source.read(min(most, at_once)))


@pytest.mark.parametrize(
    ("answer", "body", "is_kept"),
    [
        pytest.param(OK + b"Content-Length: 3\r\n\r\nabc", b"abc", True, id="of a known length"),
        pytest.param(OK + b"cOnTeNt-LeNgTh:3\r\n\r\nabc", b"abc", True, id="in odd letters, without a space"),
        pytest.param(OK + b"Content-Length:\r\n \t3 \r\n\r\nabc", b"abc", True, id="folded"),
        pytest.param(OK + b"Content-Length: 3\r\nConnection: Close\r\n\r\nabc", b"abc", False, id="the last"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc", False, id="of HTTP/1.0"),
        pytest.param(OK + b"\r\nabc", b"abc", False, id="to the connection's end"),
        pytest.param(b"HTTP/1.1 202\r\nContent-Length: 0\r\n\r\n", b"", True, id="without a reason"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", b"", True, id="without a body"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na", b"a", True, id="interim"),
        pytest.param(OK + b"Content-Length: 1\r\n\r\nabc", b"a", True, id="with something behind it"),
        pytest.param(
            OK + b"Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0A ;x=y\r\n0123456789\r\n0\r\n\r\n",
            b"abc0123456789",
            True,
            id="in chunks",
        ),
        pytest.param(
            OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n",
            b"abc",
            True,
            id="in chunks, with a length and a trailer",
        ),
    ],
)
def test_an_answer_is_read_to_its_end(answer, body, is_kept):
    for at_once in (1, 7, len(answer)):
        head, read = read_answer(received(answer, at_once))
        assert (read, head.keeps_connection) == (body, is_kept)


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(OK + b"Content-Le", id="half a head"),
        pytest.param(b"HTTP/2 200\r\n\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 2000 OK\r\n\r\n", id="no status"),
        pytest.param(OK + b"nothing\r\n\r\n", id="no field"),
        pytest.param(OK + b"Content-Length : 3\r\n\r\nabc", id="a space in a name"),
        pytest.param(OK + b"X: %b\r\n\r\n" % (b"x" * MAX_HEAD_BYTES), id="a long head"),
        pytest.param(OK + b"Content-Length: 3\r\n\r\nab", id="half a body"),
        pytest.param(OK + b"Content-Length: -1\r\n\r\n", id="no length"),
        pytest.param(OK + b"Content-Length: %b\r\n\r\n" % (b"9" * 5000), id="a long length"),
        pytest.param(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", id="two lengths"),
        pytest.param(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", id="an encoding"),
        pytest.param(CHUNKED + b"3\r\nab", id="half a chunk"),
        pytest.param(CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n", id="a long chunk"),
        pytest.param(CHUNKED + b"-1\r\n\r\n", id="no chunk"),
        pytest.param(CHUNKED + b"3\r\nabc\r\n", id="no last chunk"),
        pytest.param(CHUNKED + b"0\r\nX: y\r\n", id="half a trailer"),
        pytest.param(CHUNKED + b"0\r\nX: %b\r\n\r\n" % (b"x" * MAX_HEAD_BYTES), id="a long trailer"),
    ],
)
def test_an_answer_that_breaks_http_or_off_is_refused(answer):
    with pytest.raises(MalformedAnswer):
        read_answer(received(answer))


@pytest.mark.parametrize(("behind", "is_empty"), [(b"", True), (b"HTTP/1.1", False)])
def test_what_lies_behind_an_answer_is_noticed(behind, is_empty):
    source = received(OK + b"Content-Length: 1\r\n\r\na" + behind)
    assert read_answer(source)[1] == b"a"
    assert source.is_empty() is is_empty


def test_a_head_is_read_as_it_stands():
    head = Head.parse(OK + b"Lambda-Runtime-Trace-Id: Root=1;a:b\r\nX: \xe9\r\nx:\r\nX: 2\r\n\r\n")
    assert (head.status, head.fields) == (200, {"lambda-runtime-trace-id": "Root=1;a:b", "x": "\xe9, , 2"})


@pytest.mark.parametrize("closes", [False, True], ids=["kept", "closed without a word"])
def test_requests_share_a_connection_for_as_long_as_the_server_keeps_it(closes):
    accepted, requests, closed = [], [], threading.Event()

    def serve(listener):
        while len(requests) < 2:
            connection, _ = listener.accept()
            accepted.append(connection)
            with connection:
                while len(requests) < 2:
                    requests.append(connection.recv(1000))
                    last = b"Connection: close\r\n" if len(requests) == 2 else b""
                    connection.sendall(ACCEPTED + last + b"Content-Length: 2\r\n\r\n{}")
                    if closes:
                        break
            closed.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_SECONDS)
        port = listener.getsockname()[1]
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        connection = Connection(Endpoint("127.0.0.1", port, "/root"))
        for _ in range(2):
            assert connection.ask("POST", "/path", {"Name": "value"}, b"body")[1] == b"{}"
            if closes:
                assert closed.wait(PATIENCE_SECONDS)
        server.join()
    head = f"Host: 127.0.0.1:{port}\r\nAccept-Encoding: identity\r\nContent-Length: 4\r\nName: value\r\n\r\nbody"
    assert len(accepted) == (2 if closes else 1)
    assert requests == [f"POST /path HTTP/1.1\r\n{head}".encode()] * 2


def test_asyncio_reads_as_much_at_once_as_it_is_told():
    class Reader(asyncio.Protocol):
        def __init__(self):
            self.lengths = []

        def connection_made(self, transport):
            read_in_small_buffers(transport)

        def data_received(self, data):
            self.lengths.append(len(data))

    async def scenario():
        own, other = socket.socketpair()
        with other:
            transport, reader = await asyncio.get_running_loop().create_connection(Reader, sock=own)
            other.sendall(bytes(100_000))
            await until_async(lambda: sum(reader.lengths) == 100_000)
            assert max(reader.lengths) <= 64 * 1024
            transport.close()
            await asyncio.sleep(0)

    asyncio.run(scenario())
