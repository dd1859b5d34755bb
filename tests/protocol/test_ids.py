"""What an id may be, in every place that takes one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from agentos_lambda.api.requests.fields import IdText
from agentos_lambda.protocol.ids import is_id
from agentos_lambda.runs.errors import InvalidRequest
from agentos_lambda.websocket.messages import optional_id

FIELD = TypeAdapter(IdText)


@pytest.mark.parametrize("text", ["a", "0", "-_.:@", "1cb9dc4e-bef2-4763-be29-f19b3d4e5f60", "x" * 128])
def test_letters_digits_and_five_signs_make_an_id(text):
    assert is_id(text)


@pytest.mark.parametrize("text", ["", "x" * 129, "a b", "a/b", "a\n", "\n", "ä", "a\0", "٣", "#", "%20"])
def test_nothing_else_does(text):
    assert not is_id(text)


@given(st.text(st.sampled_from("aZ09-_.:@ /\n\0äé٣"), max_size=8) | st.text(max_size=4))
def test_a_field_of_a_request_and_a_message_of_the_websocket_take_the_same_ids(text):
    try:
        in_request = FIELD.validate_python(text) == text
    except ValidationError:
        in_request = False
    try:
        in_message = optional_id({"id": text}, "id") == text
    except InvalidRequest:
        in_message = False
    assert (in_request, in_message) == (is_id(text), is_id(text))
