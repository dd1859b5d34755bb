"""The tree of errors, as its module draws it."""

import re
from collections.abc import Iterator

from agentos_lambda.engine.errors import ComponentsError
from agentos_lambda.runs import errors
from agentos_lambda.websocket.ports import AlreadyFollows, TooManyRuns

ELSEWHERE = (ComponentsError, AlreadyFollows, TooManyRuns)
"""Errors of the tree that other packages define."""


def drawn() -> Iterator[tuple[str, str]]:
    """Pairs of an error and its base."""
    above: list[str] = []
    for line in errors.__doc__.splitlines():
        if found := re.match(r"([│├└─ ]*)([A-Z][A-Za-z]+)(?:  |$)", line):
            depth, name = len(found[1]) // 4, found[2]
            del above[depth:]
            if above:
                yield name, above[-1]
            above.append(name)


def defined(base: type[Exception]) -> Iterator[tuple[str, str]]:
    for error in base.__subclasses__():
        if error.__module__.startswith("agentos_lambda."):
            yield error.__name__, base.__name__
            yield from defined(error)


def test_the_tree_that_is_drawn_is_the_tree_that_there_is():
    assert sorted(drawn()) == sorted(defined(errors.RunsError))


def test_errors_of_other_packages_are_drawn_with_their_modules():
    lines = errors.__doc__.splitlines()
    for error in ELSEWHERE:
        (line,) = [line for line in lines if error.__name__ in line]
        assert f"``{error.__module__.removeprefix('agentos_lambda.')}``" in line
