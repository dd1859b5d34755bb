from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count

import pytest

from tests.waiting import until, until_async


def true_at(look: int) -> Callable[[], int]:
    """A condition that is true from this look on, and then says which one it is."""
    looks = count(1)
    return lambda: number if (number := next(looks)) >= look else 0


def test_the_first_true_value_ends_the_wait() -> None:
    assert until(true_at(3)) == 3
    assert asyncio.run(until_async(true_at(3))) == 3


def test_what_never_happens_fails() -> None:
    with pytest.raises(AssertionError, match="it did not happen in time"):
        until(lambda: False, seconds=0.01)
    with pytest.raises(AssertionError, match="it did not happen in time"):
        asyncio.run(until_async(lambda: False, seconds=0.01))


def test_an_error_of_the_condition_is_not_waited_out() -> None:
    def broken() -> bool:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        until(broken)
