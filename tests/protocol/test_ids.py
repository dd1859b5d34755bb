"""What an id may be, in every place that takes one."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from agentos_lambda.api.requests.fields import IdText, SessionId, UserId
from agentos_lambda.protocol.ids import is_id, is_session_id, is_user_id
from agentos_lambda.runs.errors import InvalidRequest
from agentos_lambda.websocket.messages import optional_id, session_id, user_id

unhurried = settings(deadline=None, suppress_health_check=list(HealthCheck))
PLACES = {
    "run_id": (is_id, TypeAdapter(IdText), lambda message: optional_id(message, "run_id")),
    "user_id": (is_user_id, TypeAdapter(UserId), user_id),
    "session_id": (is_session_id, TypeAdapter(SessionId), session_id),
}
PEOPLE = [
    "auth0|5f7c2a",
    "ada+work@example.com",
    "+4917012345",
    "user#1",
    "J\u00fcrgen",
    "Ju\u0308rgen",
    "Ada Lovelace",
    "https://id.example.com/users/7?x=1",
    "a/b",
    "..",
    "\U0001f600",
    "x" * 256,
]


@pytest.mark.parametrize("text", ["a", "0", "-_.:@", "1cb9dc4e-bef2-4763-be29-f19b3d4e5f60", "x" * 128])
def test_letters_digits_and_five_signs_make_an_id(text):
    assert is_id(text)


@pytest.mark.parametrize("text", ["", "x" * 129, "a b", "a/b", "a\n", "\n", "ä", "a\0", "٣", "#", "%20"])
def test_nothing_else_does(text):
    assert not is_id(text)


@pytest.mark.parametrize("text", PEOPLE)
def test_a_user_has_the_id_that_an_identity_provider_gives(text):
    assert is_user_id(text)
    assert is_session_id(text) is ("/" not in text and text != "..")


@pytest.mark.parametrize("text", ["", "x" * 257, "a\nb", "\0", "\x7f", "\x85", "\ud800", "a\udfff"])
def test_what_is_no_text_is_no_id_of_anybody(text):
    assert not is_user_id(text)
    assert not is_session_id(text)


@pytest.mark.parametrize("name", PLACES)
@unhurried
@given(text=st.text(st.sampled_from("aZ09-_.:@ /#|+\n\0\x85\u2028äé٣"), max_size=8) | st.text(max_size=4))
def test_a_field_of_a_request_and_a_message_of_the_websocket_take_the_same_ids(name, text):
    is_valid, field, read = PLACES[name]
    try:
        in_request = field.validate_python(text) == text
    except (ValidationError, UnicodeError):
        in_request = False
    try:
        in_message = read({name: text}) == text
    except InvalidRequest:
        in_message = False
    assert (in_request, in_message) == (is_valid(text), is_valid(text))
