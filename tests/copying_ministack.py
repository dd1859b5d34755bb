"""``python copying_ministack.py``: ministack, in which an account may begin as a copy of another one's empty tables.

Nearly every test of stores has an account of its own, and to create its tables takes longer than most of them do. This
is run by the interpreter that ministack is installed for, which has nothing else of the tests'.

Most of what it does for an expression is to copy items and to take the same expression apart again: here it is quicker.
"""

from __future__ import annotations

import copy
from functools import cache
from socketserver import StreamRequestHandler
from types import SimpleNamespace
from typing import Any

import ministack.app as ministack  # type: ignore[import-not-found]
from ministack.services import dynamodb  # type: ignore[import-not-found]

PATH = "/_tests/copy/"
"""Of a request for a copy. The numbers of the account that there is and of the new one follow."""
_INDEXES = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")


class CopyingApp:
    """An ASGI app: ministack, and the request for a copy."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PATH):
            await self._app(scope, receive, send)
            return
        _copy_tables(*scope["path"].removeprefix(PATH).split("/"))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


def _copy_tables(account: str, new: str) -> None:
    tables = dynamodb._tables
    for (owner, region, name), table in tables.all_items():
        if owner == account:
            made = copy.deepcopy(table)
            made["TableArn"] = made["TableArn"].replace(account, new)
            for index in (index for kind in _INDEXES for index in made[kind]):
                index["IndexArn"] = index["IndexArn"].replace(account, new)
            tables.set_scoped(new, region, name, made)


def _deepcopy(value: Any) -> Any:
    """What ``copy.deepcopy`` gives, sooner for what is JSON, such as an item."""
    kind = type(value)
    if kind is dict:
        return {name: _deepcopy(each) for name, each in value.items()}
    if kind is list:
        return [_deepcopy(each) for each in value]
    return value if kind is str else copy.deepcopy(value)


def _hurry() -> None:
    tokens_of = cache(dynamodb._tokenize)
    dynamodb._tokenize = lambda expression: list(tokens_of(expression))
    dynamodb.copy = SimpleNamespace(deepcopy=_deepcopy)  # the one function of the module that it calls
    # Its Runtime API writes the head and the body of an event apart: without this the body waits 40 ms for the
    # acknowledgement of the head, since functions keep their connections.
    StreamRequestHandler.disable_nagle_algorithm = True


def main() -> None:
    """Serve as ``ministack`` does."""
    _hurry()
    ministack.app = CopyingApp(ministack.app)
    ministack.main()


if __name__ == "__main__":
    main()
