"""``python copying_ministack.py``: ministack, in which an account may begin as a copy of another one's empty tables.

Nearly every test of stores has an account of its own, and to create its tables takes longer than most of them do. This
is run by the interpreter that ministack is installed for, which has nothing else of the tests'.
"""

from __future__ import annotations

import copy
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


def main() -> None:
    """Serve as ``ministack`` does."""
    ministack.app = CopyingApp(ministack.app)
    ministack.main()


if __name__ == "__main__":
    main()
