"""A database of agno's that keeps nothing: each method refuses, and the run in which it was called cannot succeed.

agno swallows what a database raises, and goes on as if it had been kept. So a refusal is noted as well.
"""

from __future__ import annotations

import abc
import inspect
from collections.abc import Callable
from typing import Any

from agno.db.base import AsyncBaseDb, BaseDb


def _methods(database: type[Any]) -> set[str]:
    return {name for name, value in vars(database).items() if inspect.isfunction(value) and not name.startswith("_")}


METHODS = tuple(sorted(_methods(AsyncBaseDb) | _methods(BaseDb)))
"""The methods of agno's databases, also those that only synchronous ones have."""


class RefusingDatabase(AsyncBaseDb):
    """Has all methods of an asynchronous database. What is derived from it keeps some of what they are given."""

    refused: str | None = None
    """The method that was the first to refuse."""

    def _refuse(self, method: str) -> NotImplementedError:
        self.refused = self.refused or method
        return NotImplementedError(refusal(method))


def refusal(method: str) -> str:
    """In words, that a method has refused."""
    return f"agno's database was asked to {method.replace('_', ' ')}, and that is not kept here"


def _refusing(method: str) -> Callable[..., Any]:
    def refuse(self: RefusingDatabase, *_: Any, **__: Any) -> Any:
        raise self._refuse(method)

    async def refuse_async(self: RefusingDatabase, *_: Any, **__: Any) -> Any:
        raise self._refuse(method)

    return refuse_async if inspect.iscoroutinefunction(getattr(AsyncBaseDb, method)) else refuse


for _method in _methods(AsyncBaseDb) - {"close", "to_dict"}:
    setattr(RefusingDatabase, _method, _refusing(_method))
abc.update_abstractmethods(RefusingDatabase)  # type: ignore[type-abstract]
