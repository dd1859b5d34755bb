import json

import pytest

from agentos_lambda.aws.handlers.prelude import MAX_PRELUDE_BYTES, Prelude, PreludeTooLarge


def metadata(*headers: tuple[bytes, bytes]) -> dict:
    return json.loads(Prelude(200, headers).metadata())


def test_a_prelude_has_exactly_the_four_fields_that_api_gateway_takes():
    assert metadata((b"Content-Type", b"text/plain")) == {
        "statusCode": 200,
        "headers": {"content-type": "text/plain"},
        "multiValueHeaders": {},
        "cookies": [],
    }


def test_a_repeated_header_keeps_all_its_values():
    many = metadata((b"Link", b"1"), (b"x", b"only"), (b"link", b"2"), (b"LINK", b"3"))
    assert many["multiValueHeaders"] == {"link": ["1", "2", "3"]}
    assert many["headers"] == {"x": "only"}


def test_each_cookie_stands_alone():
    assert metadata((b"set-cookie", b"a=1, x"), (b"Set-Cookie", b"b=2"))["cookies"] == ["a=1, x", "b=2"]


def test_headers_of_the_connection_are_not_passed_on():
    assert metadata((b"transfer-encoding", b"chunked"), (b"connection", b"close"))["headers"] == {}


def test_header_values_are_latin_1():
    assert metadata((b"x", b"caf\xe9"))["headers"] == {"x": "caf\u00e9"}


def test_a_prelude_without_room_for_its_delimiter_is_refused():
    room = MAX_PRELUDE_BYTES - 8 - len(Prelude(200, ((b"x", b""),)).metadata())
    assert len(Prelude(200, ((b"x", b"a" * room),)).metadata()) == MAX_PRELUDE_BYTES - 8
    with pytest.raises(PreludeTooLarge):
        Prelude(200, ((b"x", b"a" * (room + 1)),)).metadata()
