"""Databases of agno that a components file names: classes that stand in for them.

Components run on the bundle's own database, so the one in ``db=SqliteDb(...)`` is only named. While components are
loaded, ``agno.db.sqlite`` and its like are modules of stand-ins: they import nothing, connect to nothing, and become
what they stand for when a component's own code calls them.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import agno.db
from agno.db.base import AsyncBaseDb, BaseDb

_PREFIX = "agno.db."
_FOLDER = Path(agno.db.__path__[0])


@contextmanager
def databases_stood_in() -> Iterator[None]:
    """For as long as this lasts, an import of a database of agno gives its stand-in, unless it was imported before."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name, module in sys.modules.items() if isinstance(module, _StandInModule)]:
            _forget(name)


class _StandInModule(ModuleType):
    """What it does not stand in for is imported when it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_imported(self.__name__), name)


class _Finder(MetaPathFinder, Loader):
    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:  # noqa: ARG002
        if fullname.startswith(_PREFIX) and _databases(fullname):
            return spec_from_loader(fullname, self, is_package=True)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = _StandInModule(spec.name)
        module.__path__ = [str(_FOLDER / spec.name.removeprefix(_PREFIX))]
        for name in _databases(spec.name):
            setattr(module, name, _stand_in(spec.name, name))
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: the module is complete."""


def _databases(module: str) -> list[str]:
    """The classes of databases that a package of ``agno.db`` exports, read in its text. None for any other module."""
    init = _FOLDER / module.removeprefix(_PREFIX) / "__init__.py"
    if "." in module.removeprefix(_PREFIX) or not init.is_file():
        return []
    for statement in ast.parse(init.read_text()).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            return [name for name in ast.literal_eval(statement.value) if name.endswith("Db")]
    return []


def _imported(name: str) -> ModuleType:
    """The module itself."""
    if isinstance(sys.modules.get(name), _StandInModule):
        _forget(name)
    active = [finder for finder in sys.meta_path if isinstance(finder, _Finder)]
    for finder in active:
        sys.meta_path.remove(finder)
    try:
        return importlib.import_module(name)
    finally:
        sys.meta_path[:0] = active


def _forget(name: str) -> None:
    del sys.modules[name]
    vars(agno.db).pop(name.removeprefix(_PREFIX), None)


def _stand_in(module: str, name: str) -> type[Any]:
    base: type[Any] = AsyncBaseDb if name.startswith("Async") else BaseDb
    known = set(inspect.signature(base).parameters)

    def construct(self: Any, *arguments: Any, **options: Any) -> None:
        base.__init__(self, **{option: value for option, value in options.items() if option in known})
        self._made = lambda: getattr(_imported(module), name)(*arguments, **options)

    def real(self: Any) -> Any:
        """The database that it stands for, made now if nobody has needed it before."""
        if "_real" not in vars(self):
            self._real = self._made()
        return self._real

    def delegate(method: str) -> Callable[..., Any]:
        return lambda self, *arguments, **options: getattr(real(self), method)(*arguments, **options)

    def attribute(self: Any, asked: str) -> Any:
        if asked.startswith("_"):
            raise AttributeError(asked)
        return getattr(real(self), asked)

    methods = [each for each, value in vars(base).items() if inspect.isfunction(value) and not each.startswith("_")]
    members: dict[str, Any] = {method: delegate(method) for method in methods}
    members |= {"__init__": construct, "__getattr__": attribute, "__module__": module}
    return type(name, (base,), members)
