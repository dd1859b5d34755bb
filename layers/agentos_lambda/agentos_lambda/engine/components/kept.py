"""What components have agno keep in its database, and which of it is kept here: the table in ``docs/components.md``.

A setting that needs what is not kept is refused when the manifest is made: agno would run the component, log a warning
at most, and lose what it was told to keep.
"""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agno.agent import Agent
from agno.db.base import AsyncBaseDb, BaseDb
from agno.team import Team
from agno.tools import Toolkit
from agno.workflow import Workflow

from agentos_lambda.engine.components.loader import Components
from agentos_lambda.engine.components.parts import AgnoComponent, parts, with_reasoning_agents
from agentos_lambda.engine.database import RunDatabase
from agentos_lambda.engine.errors import ComponentsError
from agentos_lambda.engine.refusing_database import METHODS, RefusingDatabase
from agentos_lambda.protocol.values import Kind

ANSWERED = frozenset({"close", "to_dict", "update_approval_run_status"})
"""Methods that keep nothing anywhere."""

_REPLACED = ("db", "memory_manager.db")
"""Where a component's own database gives way to the bundle's."""


@dataclass(frozen=True, slots=True)
class Domain:
    """Something that agno keeps."""

    name: str
    methods: str
    """A regular expression for the names of the methods of agno's databases."""
    settings: tuple[str, ...] = ()
    """The attributes of agents and teams that have it kept, if they are set."""
    otherwise: str = "nothing"
    """What else has it kept, in words."""

    @property
    def all_methods(self) -> list[str]:
        return [method for method in METHODS if re.fullmatch(self.methods, method)]

    @property
    def refused(self) -> bool:
        return all(treatment(method) != "kept" for method in self.all_methods)


DOMAINS = (
    Domain("the session and its runs", "(get|upsert)_session|upsert_run", otherwise="every component"),
    Domain("earlier sessions of the user", "get_sessions", ("search_past_sessions",)),
    Domain(
        "memories of users",
        "clear_memories|upsert_memories|get_all_memory_topics|.*_user_memor(y|ies|y_stats)",
        ("update_memory_on_run", "enable_agentic_memory", "add_memories_to_context", "memory_manager"),
    ),
    Domain("what was learned", ".*_learnings?(_.*)?|delete_user_learnings", ("learning",)),
    Domain("compactions of the history", ".*_compactions?(_.*)?", ("compaction",)),
    Domain("results of tools outside the history", ".*_tool_results?(_.*)?", ("offload_tool_results",)),
    Domain("files of agents", "(?!)", ("filesystem",)),
    Domain("approvals", ".*approvals?(_.*)?", otherwise="`tools` with `@approval`"),
    Domain("contents of knowledge", ".*_knowledge_contents?", otherwise="`knowledge` with a `contents_db`"),
    Domain("evaluations", ".*_eval_runs?(_.*)?", otherwise="`pre_hooks`, `post_hooks` that evaluate, with a `db`"),
    Domain("traces", ".*_(traces?|spans?)(_stats)?", otherwise="`setup_tracing(db=...)`"),
    Domain("tokens of other services", ".*_auth_token", otherwise="`tools` or models with a `db`"),
    Domain(
        "changes of sessions and runs",
        "(delete|rename|reassign)_sessions?(_owner)?|upsert_sessions|(get|delete)_runs?|cancel_pending_run"
        "|delete_runs|get_run",
    ),
    Domain("metrics", "(get|calculate)_metrics"),
    Domain("schedules", ".*_schedules?(_.*)?"),
    Domain("components made at run time", ".*_(components?|configs?|links|dependents)(_.*)?|set_current_version"),
    Domain("roles, users and their audit", ".*authz.*"),
    Domain("service accounts", ".*_service_accounts?(_.*)?"),
    Domain("OAuth of an MCP server", ".*_mcp_oauth_.*"),
    Domain("transcripts of other frameworks", ".*_transcript(s|_.*)?"),
    Domain(
        "companies",
        "(?!.*_schedule)(?!.*_run$).*_(sources?|products?|projects?|tasks?|product_routine|product_counts"
        "|project_counts|company_acceptances)|(start|complete)_task_run",
    ),
    Domain("the database itself", "table_exists|(get_latest|upsert)_schema_version|close|to_dict"),
)
"""Each method of agno's databases is in one of them."""


def treatment(method: str) -> str:
    """``kept``, ``answered``: there is nothing to keep, or ``refused``."""
    if method in ANSWERED:
        return "answered"
    own = getattr(RunDatabase, method, None)
    return "refused" if own is None or own is getattr(RefusingDatabase, method, None) else "kept"


def table() -> str:
    """The table for ``docs/components.md``."""
    rows = [
        "| what agno can keep | settings that have it kept | here | methods of agno's database |",
        "|---|---|---|---|",
    ]
    for domain in DOMAINS:
        settings = ", ".join(f"`{setting}`" for setting in domain.settings) or domain.otherwise
        by_treatment: dict[str, list[str]] = {"kept": [], "answered": [], "refused": []}
        for method in domain.all_methods:
            by_treatment[treatment(method)].append(f"`{method}`")
        told = [name for name, methods in by_treatment.items() if methods] or ["refused"]
        methods = "; ".join(", ".join(each) for each in by_treatment.values() if each)
        rows.append(f"| {domain.name} | {settings} | {'; '.join(told)} | {methods} |")
    return "\n".join(rows) + "\n"


def check_kept(components: Components) -> None:
    """Raise ``ComponentsError`` for the first setting that needs what is not kept."""
    for kind, component, part in _parts(components):
        for why in refusals(part):
            within = "" if part is component else f": {_label(part)}"
            raise ComponentsError(f"The {kind} {component.id!r}{within}: {why} (docs/components.md says what is kept)")
    if _traces_to_a_database():
        raise ComponentsError("setup_tracing: traces are not kept here (docs/components.md says what is kept)")


def refusals(part: AgnoComponent) -> Iterator[str]:
    """In words, each setting of this part that needs what is not kept."""
    for domain in DOMAINS:
        for setting in domain.settings if domain.refused else ():
            if getattr(part, setting, None):
                yield f"{setting} needs {domain.name}, which nothing keeps here"
    yield from _approvals(getattr(part, "tools", None))
    yield from _own_databases(_databases(part))


def refusals_of(name: str, value: Any) -> Iterator[str]:
    """The same for what a function gives as the attribute of this name. Approvals are refused when one is asked for."""
    yield from _own_databases(_databases_in(value, name, set(), depth=3))


def replaced_databases(components: Components) -> list[str]:
    """A line for each component with databases of its own, in whose place it runs on the bundle's."""
    found: dict[str, list[str]] = {}
    for kind, component, part in _parts(components):
        for path, database in _databases(part):
            if path in _REPLACED:
                whose = "" if part is component else f" of {_label(part)}"
                found.setdefault(f"The {kind} {component.id!r}", []).append(f"{type(database).__name__}{whose}")
    return [
        f"{component} runs on the bundle's own database, not on its {', '.join(dict.fromkeys(own))}"
        for component, own in found.items()
    ]


def _parts(components: Components) -> Iterator[tuple[Kind, AgnoComponent, AgnoComponent]]:
    """Kind and component, with each of its parts, those included that think for them."""
    for kind in Kind:
        for component in components.all(kind):
            for part in with_reasoning_agents(parts(component)):
                yield kind, component, part


def _label(part: AgnoComponent) -> str:
    kind = "team" if isinstance(part, Team) else "workflow" if isinstance(part, Workflow) else "agent"
    return f"its {kind} {part.id or part.name!r}"


def _approvals(tools: Any) -> Iterator[str]:
    for name in _tools_with_approval(tools):
        yield f"the tool {name!r} needs approvals, which nothing keeps here: use requires_confirmation"


def _own_databases(found: Iterable[tuple[str, BaseDb | AsyncBaseDb]]) -> Iterator[str]:
    for path, database in found:
        if path not in _REPLACED:
            yield f"{path} is a {type(database).__name__} of its own, which does not give way to the bundle's database"


def _tools_with_approval(tools: Any) -> Iterator[str]:
    """The names of the tools that are marked so. Tools that a function gives at run time are not seen."""
    for tool in tools if isinstance(tools, list | tuple) else ():
        if isinstance(tool, Toolkit):
            yield from _tools_with_approval([*tool.functions.values(), *tool.async_functions.values()])
        elif getattr(tool, "approval_type", None) or getattr(tool, "_agno_approval_type", None):
            yield getattr(tool, "name", None) or tool.__name__


def _databases(part: AgnoComponent) -> Iterator[tuple[str, BaseDb | AsyncBaseDb]]:
    """The databases in an agent, a team or a workflow and in agno's own objects there, each with the way to it."""
    seen: set[int] = set()
    for name, value in vars(part).items():
        if not name.startswith("_"):
            yield from _databases_in(value, name, seen, depth=3)


def _databases_in(value: Any, path: str, seen: set[int], *, depth: int) -> Iterator[tuple[str, BaseDb | AsyncBaseDb]]:
    if isinstance(value, BaseDb | AsyncBaseDb):
        yield path, value
    elif id(value) in seen or not depth or isinstance(value, Agent | Team | Workflow):
        return
    else:
        seen.add(id(value))
        for name, item in _within(value):
            yield from _databases_in(item, f"{path}{name}", seen, depth=depth - 1)


def _within(value: Any) -> Sequence[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(f"[{key!r}]", item) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [(f"[{index}]", item) for index, item in enumerate(value)]
    if type(value).__module__.startswith("agno."):
        return [(f".{name}", item) for name, item in getattr(value, "__dict__", {}).items()]
    return []


def _traces_to_a_database() -> bool:
    """Whether the components have set up tracing to a database: nothing but the exporter itself knows."""
    exporter = getattr(sys.modules.get("agno.tracing.exporter"), "DatabaseSpanExporter", None)
    # By type: isinstance would ask proxies for what they stand for.
    return exporter is not None and any(issubclass(type(each), exporter) for each in gc.get_objects())
