import asyncio
import json
import logging

import pytest

from agentos_lambda.aws.handlers.cycle import ERROR_EVENT, INTERNAL_ERROR_BODY, ProtocolViolation, respond
from tests.aws.recording_sink import RecordingSink


def start(status=200, headers=()):
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(data=b"", *, more=False):
    return {"type": "http.response.body", "body": data, "more_body": more}


def run(app, sink=None, *, method="GET", request=b""):
    sink = sink or RecordingSink()
    asyncio.run(respond(app, {"type": "http", "method": method, "path": "/"}, request, sink))
    return sink


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level(logging.CRITICAL + 1)


def test_each_piece_is_written_when_the_app_sends_it():
    seen = []
    sink = RecordingSink()

    async def app(_scope, _receive, send):
        await send(start())
        await send(body(b"one", more=True))
        seen.append(list(sink.pieces))
        await send(body(b"two", more=True))
        seen.append(list(sink.pieces))
        await send(body())

    run(app, sink)
    assert seen == [[b"one"], [b"one", b"two"]]
    assert sink.finishes == [None]


def test_a_slow_sink_holds_the_app_back():
    class Slow(RecordingSink):
        def __init__(self):
            super().__init__()
            self.reached, self.gate = asyncio.Event(), asyncio.Event()

        async def write(self, data):
            await super().write(data)
            self.reached.set()
            await self.gate.wait()

    async def scenario():
        sink = Slow()
        sent = []

        async def app(_scope, _receive, send):
            await send(start())
            for number in range(3):
                await send(body(b"%d" % number, more=True))
                sent.append(number)
            await send(body())

        answering = asyncio.create_task(respond(app, {"method": "GET", "path": "/"}, b"", sink))
        await sink.reached.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        assert (sink.pieces, sent) == ([b"0"], [])
        sink.gate.set()
        await answering
        assert sent == [0, 1, 2]

    asyncio.run(scenario())


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_answers_that_have_no_body_send_none(method, status):
    async def app(_scope, _receive, send):
        await send(start(status, [(b"content-length", b"4")]))
        await send(body(b"body"))

    sink = run(app, method=method)
    assert (sink.status, sink.pieces, sink.finishes) == (status, [], [None])
    assert sink.preludes[0].headers == ((b"content-length", b"4"),)


def test_the_app_gets_the_body_once_and_a_disconnect_only_after_its_last_piece():
    log = []

    async def app(_scope, receive, send):
        request = await receive()
        log.append(request["body"])
        disconnect = asyncio.create_task(receive())
        await send(start())
        await send(body(b"piece", more=True))
        for _ in range(5):
            await asyncio.sleep(0)
        log.append(disconnect.done())
        await send(body())
        log.append((await disconnect)["type"])

    run(app, request=b"request")
    assert log == [b"request", False, "http.disconnect"]


@pytest.mark.parametrize("error", [RuntimeError("secret"), asyncio.CancelledError()])
def test_an_error_before_the_first_byte_is_a_clean_500_that_says_nothing_else(error):
    async def app(_scope, _receive, _send):
        raise error

    sink = run(app)
    assert (sink.status, sink.body, sink.finishes) == (500, INTERNAL_ERROR_BODY, [None])
    assert dict(sink.preludes[0].headers)[b"content-type"] == b"application/json"


def test_an_error_after_the_first_byte_ends_the_answer_as_a_broken_one():
    error = RuntimeError("late")

    async def app(_scope, _receive, send):
        await send(start())
        await send(body(b"half", more=True))
        raise error

    sink = run(app)
    assert (sink.status, sink.body, sink.finishes) == (200, b"half", [error])


def test_an_event_stream_that_cannot_go_on_ends_properly_with_an_error_event():
    async def app(_scope, _receive, send):
        await send(start(200, [(b"Content-Type", b"text/event-stream; charset=utf-8")]))
        await send(body(b"data: 1\n\n", more=True))
        raise RuntimeError("secret")

    sink = run(app)
    assert (sink.status, sink.pieces, sink.finishes) == (200, [b"data: 1\n\n", ERROR_EVENT], [None])
    name, data, *rest = ERROR_EVENT.decode().split("\n")
    assert (name, rest) == ("event: error", ["", ""])
    assert json.loads(data.removeprefix("data: ")) == {
        "event": "error",
        "error": "Internal server error",
        "error_code": "INTERNAL_ERROR",
    }


def test_an_error_after_the_whole_answer_changes_nothing():
    async def app(_scope, _receive, send):
        await send(start())
        await send(body(b"all"))
        raise RuntimeError("in a background task")

    sink = run(app)
    assert (sink.body, sink.finishes) == (b"all", [None])


def test_an_app_that_returns_without_an_answer_is_an_error():
    async def app(_scope, _receive, _send):
        return

    assert run(app).status == 500


def test_an_app_that_returns_in_the_middle_of_its_answer_breaks_it_off():
    async def app(_scope, _receive, send):
        await send(start())
        await send(body(b"half", more=True))

    [error] = run(app).finishes
    assert isinstance(error, ProtocolViolation)


def test_an_answer_that_nobody_takes_is_not_begun_again():
    class Gone(RecordingSink):
        async def start(self, prelude):
            await super().start(prelude)
            raise ConnectionResetError

        async def finish(self, error=None):
            await super().finish(error)
            raise ConnectionResetError

    async def app(_scope, _receive, send):
        await send(start())

    sink = Gone()
    with pytest.raises(ConnectionResetError):
        run(app, sink)
    assert [prelude.status for prelude in sink.preludes] == [200]


def test_headers_over_the_limit_are_a_clean_500():
    async def app(_scope, _receive, send):
        await send(start(200, [(b"x", b"a" * 20_000)]))
        await send(body(b"never"))

    sink = run(app)
    assert (sink.status, sink.body) == (500, INTERNAL_ERROR_BODY)


@pytest.mark.parametrize("messages", [[body(b"x")], [start(), start()], [start(), body(b"x"), body(b"y")]])
def test_messages_out_of_order_are_refused(messages):
    refused = []

    async def app(_scope, _receive, send):
        for message in messages[:-1]:
            await send(message)
        try:
            await send(messages[-1])
        except ProtocolViolation as violation:
            refused.append(violation)
            raise

    run(app)
    assert len(refused) == 1
