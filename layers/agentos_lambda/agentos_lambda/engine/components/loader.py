"""Loads the deployer's components: the three lists of a components module."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from agno.agent import Agent
from agno.team import Team
from agno.team.mode import TeamMode
from agno.utils.string import generate_id_from_name
from agno.workflow import Workflow

from agentos_lambda.engine.components.parts import AgnoComponent, parts
from agentos_lambda.engine.components.stand_ins import databases_stood_in
from agentos_lambda.engine.errors import REQUIREMENTS, ComponentsError
from agentos_lambda.protocol.ids import is_id
from agentos_lambda.protocol.values import Kind

MODULE = "components"
"""The module that is imported unless ``AGENTOS_COMPONENTS`` names a file."""

_FILE_MODULE = "agentos_components"
"""The name of a module that is made of a file: it does not hide the module ``components``."""

Item = TypeVar("Item", Agent, Team, Workflow)


@dataclass(frozen=True)
class Components:
    """The agents, teams and workflows to serve. Each has an id, unique among its kind."""

    agents: Sequence[Agent] = ()
    teams: Sequence[Team] = ()
    workflows: Sequence[Workflow] = ()

    def __post_init__(self) -> None:
        for part in parts([*self.agents, *self.teams, *self.workflows]):
            if isinstance(part, Team) and part.mode is not None:
                part.mode = _mode(part)

    def all(self, kind: Kind) -> Sequence[AgnoComponent]:
        by_kind: dict[Kind, Sequence[AgnoComponent]] = {
            Kind.AGENT: self.agents,
            Kind.TEAM: self.teams,
            Kind.WORKFLOW: self.workflows,
        }
        return by_kind[kind]

    def find(self, kind: Kind, component_id: str) -> AgnoComponent | None:
        return next((component for component in self.all(kind) if component.id == component_id), None)


def _mode(team: Team) -> TeamMode:
    """The team's mode, which may be given as text: agno takes it so, and fails when it describes the team."""
    try:
        return TeamMode(team.mode)
    except ValueError:
        modes = ", ".join(mode.value for mode in TeamMode)
        raise ComponentsError(f"{team.id or team.name}: the mode {team.mode!r} is none of {modes}") from None


def load_components(path: str | None = None) -> Components:
    """The components of the file ``path``, else of ``AGENTOS_COMPONENTS``, else of the module ``components``.

    Raises ``ComponentsError``.
    """
    path = path or os.environ.get("AGENTOS_COMPONENTS")
    spec = _file_spec(path) if path else importlib.util.find_spec(MODULE)
    if spec is None:
        raise ComponentsError(f"There is no module {MODULE!r}: add components.py, or name a file in AGENTOS_COMPONENTS")
    module = _run(spec)
    where = spec.origin or spec.name
    return Components(
        agents=_checked(module, where, "agents", Agent),
        teams=_checked(module, where, "teams", Team),
        workflows=_checked(module, where, "workflows", Workflow),
    )


def _file_spec(path: str) -> ModuleSpec | None:
    if not Path(path).is_file():
        raise ComponentsError(f"{path}: there is no such file")
    folder = os.fspath(Path(path).resolve().parent)
    if folder not in sys.path:  # as if it were a script: it may import what lies beside it
        sys.path.append(folder)
    return importlib.util.spec_from_file_location(_FILE_MODULE, path)


def _run(spec: ModuleSpec) -> ModuleType:
    """Import the module. One that was imported already from the same place is not run again."""
    where = spec.origin or spec.name
    known = sys.modules.get(spec.name)
    if known is not None and getattr(known, "__file__", None) == spec.origin:
        return known
    module = importlib.util.module_from_spec(spec)
    if spec.loader is None:
        raise ComponentsError(f"{where}: is a folder, not a module")
    sys.modules[spec.name] = module  # dataclasses and pydantic look their module up while it is run
    try:
        with databases_stood_in():
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[spec.name]
        raise ComponentsError(_cause(where, error)) from error
    return module


def _cause(where: str, error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"{error.filename or where}:{error.lineno}: {error.msg}"
    # A module that lacks a name is there: the name is misspelled.
    missing = isinstance(error, ImportError) and not str(error).startswith("cannot import name")
    hint = f" (a package that is missing goes into {REQUIREMENTS})" if missing else ""
    told = str(error) if isinstance(error, ComponentsError) else f"{type(error).__name__}: {error}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == where]
    place = f"{where}:{lines[-1]}" if lines else where
    return f"{place}: {' '.join(told.split())}{hint}"


def _checked(module: ModuleType, where: str, name: str, item_type: type[Item]) -> list[Item]:
    if not hasattr(module, name):
        raise ComponentsError(f"{where}: {name!r} is missing: export a list of {item_type.__name__}, it may be empty")
    items = getattr(module, name)
    if not isinstance(items, list | tuple):
        raise ComponentsError(f"{where}: {name!r} is of type {type(items).__name__}, not a list")
    seen: set[str] = set()
    for index, item in enumerate(items):
        place = f"{where}: {name}[{index}]"
        if not isinstance(item, item_type):
            raise ComponentsError(f"{place} is of type {type(item).__name__}, not {item_type.__name__}")
        if not item.id and not item.name:
            raise ComponentsError(f"{place} has neither an id nor a name: its id would change with every start")
        origin = "" if item.id else f", made from the name {item.name!r},"
        item.id = item.id or generate_id_from_name(item.name)
        if not is_id(item.id):
            allowed = "1 to 128 of the characters A-Z, a-z, 0-9 and -_.:@"
            raise ComponentsError(f"{place}: the id {item.id!r}{origin} is not {allowed}: give it another one")
        if item.id in seen:
            raise ComponentsError(f"{place}: the id {item.id!r} is taken by an earlier one")
        seen.add(item.id)
    return list(items)
