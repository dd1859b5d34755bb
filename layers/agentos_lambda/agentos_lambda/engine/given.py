"""What functions give a run while it runs: members of a team, steps of a router, tools and knowledge.

agno runs such a component as it is: with its own database, and shared with every other run that is given the same
object. Here a run has its own copy, which is made as that of its own component is. What would be refused in a
components file ends the run.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextvars import ContextVar
from copy import copy
from functools import cache, wraps
from types import ModuleType
from typing import Any

import agno.team._run as team_run
import agno.utils.callables as factories
from agno.agent import Agent
from agno.team import Team
from agno.workflow.router import Router

from agentos_lambda.engine.components.parts import AgnoComponent, parts, with_reasoning_agents
from agentos_lambda.engine.database import RunDatabase
from agentos_lambda.engine.errors import ComponentsError
from agentos_lambda.engine.own_copy import given_copy


class GivenComponents:
    """The copies that one run works with, each made when it is first given."""

    def __init__(
        self,
        database: RunDatabase,
        *,
        in_workflow: bool,
        found: Callable[[Iterable[AgnoComponent]], None],
        refused: Callable[[ComponentsError], None],
    ) -> None:
        """``in_workflow``: whether the run is one of a workflow. ``found`` is told of all parts of each copy,
        ``refused`` of what ends the run."""
        self._database = database
        self._in_workflow = in_workflow
        self._found = found
        self._refused = refused
        self._copies: dict[int, tuple[Any, Any]] = {}
        self._members: list[tuple[Any, list[Any]]] = []
        """What the teams of the run were given, in the order in which they asked."""

    def own(self, given: Any) -> Any:
        """The run's copy of a member or a step, the same for the same object, and itself for a copy.

        Raises ``ComponentsError`` if it has something kept that is not kept here.
        """
        if id(given) not in self._copies:
            for part in with_reasoning_agents(parts(given)):
                self._check(part, _kept().refusals(part))
            made = given_copy(given, self._database, in_workflow=self._in_workflow)
            self._found(parts(made))
            # With what was given: an id is another object's once its own is gone.
            self._copies |= {id(given): (given, made), id(made): (made, made)}
        return self._copies[id(given)][1]

    def own_members(self, team: Any, members: Iterable[Any]) -> list[Any]:
        """What a function has given this team, as the run works with it. Raises ``ComponentsError`` as above."""
        own = [self.own(member) if isinstance(member, Agent | Team) else member for member in members]
        self._members.append((team, own))
        return own

    def members_of(self, team: Any, run_context: Any) -> list[Any] | None:
        """What this team was given in a run with this context, or else what it was given last; None if nothing."""
        given = [members for asking, members in self._members if asking is team]
        in_context = run_context and run_context.members
        return next((members for members in given if members is in_context), given[-1] if given else None)

    def check(self, part: Any, name: str, value: Any) -> None:
        """Look at tools or knowledge that this part was given as an attribute. Raises ``ComponentsError`` as above."""
        self._check(part, _kept().refusals_of(name, value))

    def _check(self, part: Any, refusals: Iterator[str]) -> None:
        for why in refusals:
            error = ComponentsError(f"{type(part).__name__} {part.id or part.name!r}: {why}")
            self._refused(error)
            raise error


def _kept() -> ModuleType:
    """Imported late: few runs are given anything."""
    from agentos_lambda.engine.components import kept  # noqa: PLC0415

    return kept


_of_run: ContextVar[GivenComponents | None] = ContextVar("given_components", default=None)


def note_given(given: GivenComponents) -> None:
    """From now on what functions give in the current context, or in one that comes of it, is of this run."""
    _of_run.set(given)


@cache
def own_what_is_given() -> None:
    """Have every run of this process work with copies of what its functions give."""
    factories.resolve_callable_members = _own_members(factories.resolve_callable_members)
    factories.aresolve_callable_members = _own_members_later(factories.aresolve_callable_members)
    factories.get_resolved_members = _members_of_the_team(factories.get_resolved_members)
    for name in ("tools", "knowledge"):
        resolve = f"aresolve_callable_{name}"
        setattr(factories, resolve, _checked(getattr(factories, resolve), name))
    _replace(team_run, "_aroute_requirements_to_members", _routed)
    _replace(team_run, "_aroute_requirements_to_members_stream", _routed_as_events)
    router: Any = Router
    router._resolve_selector_result = _own_steps(router._resolve_selector_result)  # noqa: SLF001


def _own_members(resolve: Callable[..., None]) -> Callable[..., None]:
    @wraps(resolve)
    def resolved(team: Any, run_context: Any) -> None:
        resolve(team, run_context)
        _take_members(team, run_context)

    return resolved


def _own_members_later(resolve: Any) -> Any:
    @wraps(resolve)
    async def resolved(team: Any, run_context: Any) -> None:
        await resolve(team, run_context)
        _take_members(team, run_context)

    return resolved


def _take_members(team: Any, run_context: Any) -> None:
    given = _of_run.get()
    if given is not None and factories.is_callable_factory(team.members):
        run_context.members = given.own_members(team, run_context.members)


def _members_of_the_team(resolve: Callable[..., list[Any] | None]) -> Callable[..., list[Any] | None]:
    """agno takes what a run's team was given for the members of every team within it, and looks for members in itself
    without end. It does not know what a team within the run's team was given."""

    @wraps(resolve)
    def resolved(team: Any, run_context: Any) -> list[Any] | None:
        given = _of_run.get()
        if given is None:
            return resolve(team, run_context)
        return given.members_of(team, run_context) if callable(team.members) else resolve(team, None)

    return resolved


def _checked(resolve: Any, name: str) -> Any:
    """Tools or knowledge: they are shared, but must not have kept what is not kept here."""

    @wraps(resolve)
    async def resolved(part: Any, run_context: Any) -> None:
        await resolve(part, run_context)
        given, value = _of_run.get(), getattr(run_context, name)
        if given is not None and value:
            given.check(part, name, value)

    return resolved


def _replace(module: Any, name: str, by: Callable[[Any], Any]) -> None:
    setattr(module, name, by(getattr(module, name)))


def _routed(route: Any) -> Any:
    """agno asks for given members before the model of their team, so too late for those that a paused run waits for."""
    parameters = inspect.signature(route)

    @wraps(route)
    async def routed(*arguments: Any, **options: Any) -> Any:
        await _ask_for_members(parameters.bind(*arguments, **options).arguments)
        return await route(*arguments, **options)

    return routed


def _routed_as_events(route: Any) -> Any:
    """The same for a run that is streamed."""
    parameters = inspect.signature(route)

    @wraps(route)
    async def routed(*arguments: Any, **options: Any) -> AsyncIterator[Any]:
        await _ask_for_members(parameters.bind(*arguments, **options).arguments)
        async for event in route(*arguments, **options):
            yield event

    return routed


async def _ask_for_members(given: dict[str, Any]) -> None:
    if given.get("run_context") is not None:
        await factories.aresolve_callable_members(given["team"], given["run_context"])
        await _ask_for_members_within(given["team"], given["run_context"])


async def _ask_for_members_within(team: Team, run_context: Any) -> None:
    """Whom a run waits for may be a member of a team within the team, whose own run goes on only later."""
    for member in factories.get_resolved_members(team, run_context) or ():
        if isinstance(member, Team):
            own_context = copy(run_context)
            await factories.aresolve_callable_members(member, own_context)
            await _ask_for_members_within(member, own_context)


def _own_steps(resolve: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """The steps that a selector chose. Those among the router's own are the run's already."""

    @wraps(resolve)
    def resolved(router: Any, result: Any) -> list[Any]:
        steps, given = resolve(router, result), _of_run.get()
        own = {id(step) for step in router.steps}
        return steps if given is None else [step if id(step) in own else given.own(step) for step in steps]

    return resolved
