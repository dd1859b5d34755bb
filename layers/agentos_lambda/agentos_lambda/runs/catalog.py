"""What is known of the deployed components, without importing an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from agentos_lambda.protocol.values import JsonObject, Kind

if TYPE_CHECKING:
    from agentos_lambda.runs.model import Work


@dataclass(frozen=True, slots=True)
class Component:
    """An agent, a team or a workflow, as its manifest describes it."""

    kind: Kind
    id: str
    name: str
    history_runs: int
    """How many earlier runs of a session the component may read: the largest number of it, its members and steps."""
    config: JsonObject
    """Its entry in ``GET /config``."""
    listed: JsonObject
    """Its entry in ``GET /{kind}``."""
    detail: JsonObject
    """``GET /{kind}/{id}``."""
    quick_prompts: tuple[str, ...] = ()
    """Examples for a chat window, from the component's metadata."""
    durable: bool = False
    """Whether its owner lets its runs survive their executors."""
    history_if_asked: int = 0
    """The same as ``history_runs``, for a run whose caller wants the history in the context."""
    checked: bool = False
    """Whether it, a member or a step has checks that may block its output."""

    def history_for(self, work: Work) -> int:
        """How many earlier runs a run with this work may read."""
        from agentos_lambda.runs.model import RunInput  # noqa: PLC0415 - not where nothing runs

        asks = isinstance(work, RunInput) and work.add_history_to_context
        return max(self.history_runs, self.history_if_asked) if asks else self.history_runs


class Catalog(Protocol):
    """What is known of the components without importing an engine."""

    def find(self, kind: Kind, component_id: str) -> Component | None:
        """The component with this id; None if there is none."""

    def all(self, kind: Kind) -> Sequence[Component]:
        """The components of a kind, in the order of their export."""

    def models(self) -> Sequence[JsonObject]:
        """``{"id", "provider"}`` of each model of all agents and teams, including members, each once."""

    def os_config(self) -> JsonObject:
        """The part of ``GET /config`` that is not about single components: databases, domains, interfaces."""

    def engine_version(self) -> str:
        """The engine's own version, for ``GET /info``."""
