import asyncio
import json

import pytest

from agentos_lambda.aws.handlers.prelude import MAX_PRELUDE_BYTES
from local.functions.invocation import Invocation, InvocationFailed, ResponseMode
from local.gateway.answer import MalformedAnswer, read_response
from local.gateway.api_event import decodes_answers

DELIMITER = b"\0" * 8


def read(mode, *pieces, integration=None, decodes=True):
    """The response to an answer in these pieces."""

    async def scenario():
        invocation = Invocation(b"{}", timeout_seconds=1)
        invocation.start_answer(mode)

        async def write():
            for piece in pieces:
                await invocation.write(piece)
            invocation.finish()

        writing = asyncio.create_task(write())
        try:
            response = await read_response(invocation, integration or mode, decodes=decodes)
            body = [piece async for piece in response.body]
        finally:
            invocation.abandon()
            await writing
        return response.head.status, dict(response.head.headers), body

    return asyncio.run(scenario())


def streamed(*pieces):
    return read(ResponseMode.STREAMING, *pieces)


def buffered(answer, *, decodes=True):
    return read(ResponseMode.BUFFERED, json.dumps(answer).encode(), decodes=decodes)


def test_a_prelude_may_come_in_any_pieces():
    whole = json.dumps({"statusCode": 201, "headers": {"X": "y"}, "cookies": []}).encode() + DELIMITER + b"body"
    for cut in range(1, len(whole)):
        status, headers, body = streamed(whole[:cut], whole[cut:])
        assert (status, headers, b"".join(body)) == (201, {b"x": b"y"}, b"body")


def test_nul_bytes_in_the_body_are_part_of_it():
    assert streamed(b'{"statusCode":200}' + DELIMITER, DELIMITER, b"x")[2] == [DELIMITER, b"x"]


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b'{"statusCode":200}'],
        [b"x" * (MAX_PRELUDE_BYTES + 1), b"never read"],
        [b"no json" + DELIMITER],
        [b"[]" + DELIMITER],
        [b'{"headers":{}}' + DELIMITER],
        [b'{"statusCode":"x"}' + DELIMITER],
        [b'{"statusCode":99}' + DELIMITER],
        [b'{"statusCode":200,"headers":["x"]}' + DELIMITER],
    ],
)
def test_a_malformed_prelude_is_refused(pieces):
    with pytest.raises(MalformedAnswer):
        streamed(*pieces)


def test_the_length_of_a_buffered_answer_is_that_of_its_bytes():
    status, headers, body = buffered(
        {"statusCode": 200, "headers": {"Content-Length": "999"}, "body": "eA==", "isBase64Encoded": True}
    )
    assert (status, headers, body) == (200, {b"content-length": b"1"}, [b"x"])


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
"""What browsers accept of a page. Of a script it is ``*/*``."""


@pytest.mark.parametrize(
    ("accept", "binary_types", "decodes"),
    [
        (BROWSER, {"application/json"}, False),
        ("*/*", {"application/json"}, False),
        ("", {"application/json"}, False),
        ("application/json, text/html", {"application/json"}, True),
        ("text/html, application/json", {"application/json"}, False),
        ("Application/JSON;q=0.5", {"application/json"}, True),
        (BROWSER, {"*/*"}, True),
    ],
)
def test_base64_is_decoded_only_if_the_first_type_that_the_request_accepts_is_a_binary_one(
    accept, binary_types, decodes
):
    assert decodes_answers(accept, frozenset(binary_types)) is decodes


def test_base64_that_is_not_decoded_is_what_the_client_gets():
    answer = {"statusCode": 200, "body": "eA==", "isBase64Encoded": True}
    assert buffered(answer, decodes=False)[2] == [b"eA=="]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        "text",
        None,
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "body": "not base64", "isBase64Encoded": True},
    ],
)
def test_a_malformed_answer_is_refused(answer):
    with pytest.raises(MalformedAnswer):
        buffered(answer)


def test_an_integration_that_streams_refuses_a_buffered_answer():
    with pytest.raises(MalformedAnswer):
        read(ResponseMode.BUFFERED, b'{"statusCode":200,"body":"x"}', integration=ResponseMode.STREAMING)


def test_an_integration_that_does_not_stream_passes_on_only_the_head_of_a_stream():
    prelude = b'{"statusCode":201,"headers":{"X":"y","Content-Length":"4"}}' + DELIMITER
    response = read(ResponseMode.STREAMING, prelude, b"body", integration=ResponseMode.BUFFERED)
    assert response == (201, {b"x": b"y"}, [])


def test_a_failure_comes_after_what_was_sent_before_it():
    async def scenario():
        invocation = Invocation(b"{}", timeout_seconds=1)
        invocation.start_answer(ResponseMode.STREAMING)

        async def write():
            await invocation.write(b'{"statusCode":200}' + DELIMITER + b"first")
            invocation.fail(InvocationFailed("broken"))

        writing = asyncio.create_task(write())
        response = await read_response(invocation, ResponseMode.STREAMING, decodes=True)
        assert await anext(response.body) == b"first"
        with pytest.raises(InvocationFailed, match="broken"):
            await anext(response.body)
        await writing

    asyncio.run(scenario())


def test_a_writer_waits_until_the_piece_before_was_passed_on():
    async def scenario():
        invocation = Invocation(b"{}", timeout_seconds=1)
        await invocation.write(b"piece")
        writing = asyncio.create_task(invocation.write(b"next"))
        pieces = invocation.pieces()
        assert await anext(pieces) == b"piece"
        assert not writing.done()
        reading = asyncio.create_task(anext(pieces, None))
        await writing
        invocation.finish()
        assert await reading == b"next"
        assert await anext(pieces, None) is None

    asyncio.run(scenario())


def test_without_a_reader_no_writer_waits():
    async def scenario():
        invocation = Invocation(b"{}", timeout_seconds=1)
        await invocation.write(b"piece")
        writing = asyncio.create_task(invocation.write(b"next"))
        await asyncio.sleep(0)
        invocation.abandon()
        await writing
        await invocation.write(b"more")

    asyncio.run(scenario())
