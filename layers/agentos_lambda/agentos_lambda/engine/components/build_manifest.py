"""Describes the components in a document, so that functions can tell of them without importing agno.

    python -m agentos_lambda.engine.components.build_manifest [--components FILE] -o manifest.json

The descriptions are those of AgentOS itself: one is made of the components, in this process, and asked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
from agno.agent import Agent
from agno.models.base import Model
from agno.os import AgentOS
from agno.os.router import get_base_router
from agno.os.routers.agents import get_agent_router
from agno.os.routers.teams import get_team_router
from agno.os.routers.workflows import get_workflow_router
from agno.team import Team
from agno.workflow import Workflow
from fastapi import FastAPI

from agentos_lambda.engine import LOGGERS
from agentos_lambda.engine.components.describable import describable
from agentos_lambda.engine.components.history import history_if_asked, history_runs
from agentos_lambda.engine.components.kept import check_kept, replaced_databases
from agentos_lambda.engine.components.loader import Components, load_components
from agentos_lambda.engine.components.manifest import VERSION
from agentos_lambda.engine.components.parts import AgnoComponent, models_of, parts
from agentos_lambda.engine.components.toolkits import check_packages
from agentos_lambda.engine.database import DATABASE_ID, RunDatabase
from agentos_lambda.engine.errors import ComponentsError
from agentos_lambda.engine.models.default import default_model
from agentos_lambda.engine.models.needs import model_needs
from agentos_lambda.engine.models.providers import model_providers
from agentos_lambda.engine.models.setting import PLACEHOLDER_SETTING, VARIABLE
from agentos_lambda.engine.to_json import plain_object
from agentos_lambda.protocol.values import Json, JsonObject, Kind

_OF_COMPONENTS = ("available_models", "agents", "teams", "workflows")
"""Parts of ``GET /config`` that the catalog gives component by component."""

_NOT_SERVED = ("metrics", "learning", "evals", "traces")
"""Domains that AgentOS would offer for any database. Here they have no routes, so no database is named for them."""


_ROUTERS = (get_base_router, get_agent_router, get_team_router, get_workflow_router)

_KEYS = ("OS_SECURITY_KEY", "JWT_VERIFICATION_KEY", "JWT_JWKS_FILE")
"""Variables by which AgentOS closes itself, also to the one who only asks it for descriptions here."""


def describe_components(components: Components | None = None) -> JsonObject:
    """The manifest of these components, else of those that the environment names. Raises ``ComponentsError``."""
    described = components if components is not None else load_components()
    check_kept(described)
    check_packages([component for kind in Kind for component in described.all(kind)])
    with ThreadPoolExecutor(1) as thread, _hidden(_KEYS), _silent():  # the caller may be running an event loop

        def describe(some: Components) -> JsonObject:
            return thread.submit(lambda: asyncio.run(_describe(some))).result()

        try:
            return describe(described)
        except ComponentsError:
            raise
        except Exception as error:  # an edge: a component's own code is called for its description
            raise _first_failure(described, describe) or ComponentsError(
                f"The components cannot be described: {_cause(error)}"
            ) from error


def _first_failure(components: Components, describe: Callable[[Components], JsonObject]) -> ComponentsError | None:
    """The error of the first component that cannot be described alone."""
    for kind in Kind:
        for component in components.all(kind):
            try:
                alone: Any = {kind.plural: [component]}
                describe(Components(**alone))
            except Exception as error:  # noqa: BLE001  the same edge
                told = f"{_cause(error)}{_hint(error, component)}"
                return ComponentsError(f"The {kind} {component.id!r} cannot be described: {told}")
    return None


def _cause(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _hint(error: Exception, component: AgnoComponent) -> str:
    """agno gives a component without a model one of OpenAI, whose package is mostly not there."""
    every = list(parts(component))
    bare = sorted({str(part.id or part.name) for part in every if isinstance(part, Agent | Team) and not part.model})
    if not bare or not isinstance(error, ImportError):
        return ""
    return f" ({', '.join(bare)}: without a model it is OpenAI's. Give it one, such as default_model())"


@contextmanager
def _hidden(variables: Sequence[str]) -> Iterator[None]:
    """The environment without these variables, for a while."""
    hidden = {name: os.environ.pop(name) for name in variables if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


@contextmanager
def _silent() -> Iterator[None]:
    """agno's loggers closed for a while: AgentOS logs the whole story of a failure that is told in one line here."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled


async def _describe(components: Components) -> JsonObject:
    async with _client(components) as client:
        config = await _get(client, "/config")
        entries = {kind: await _entries(client, kind, components, config) for kind in Kind}
    os_config = {name: value for name, value in config.items() if name not in _OF_COMPONENTS}
    for domain in _NOT_SERVED:
        os_config[domain] = {**os_config[domain], "dbs": []}
    return {
        "version": VERSION,
        "engine_version": version("agno"),
        "os": os_config,
        "models": list(_models([*components.agents, *components.teams])),
        "providers": model_providers(),
        "model_needs": model_needs(
            model for kind in Kind for each in components.all(kind) for model in models_of(each)
        ),
        "replaced_databases": replaced_databases(components),
        **{kind.plural: entries[kind] for kind in Kind},
    }


def _client(components: Components) -> httpx.AsyncClient:
    """A client of an AgentOS of copies, with the routes that describe them: it takes seconds to make all of its own."""
    database = RunDatabase("", Kind.AGENT, "", None)  # type: ignore[abstract]  # RefusingDatabase has the rest
    copies = describable([component for kind in Kind for component in components.all(kind)])
    for part in (part for copy in copies for part in parts(copy)):
        if part.db is not None:
            part.db = database
    described = AgentOS(
        id=DATABASE_ID,
        agents=[copy for copy in copies if isinstance(copy, Agent)],
        teams=[copy for copy in copies if isinstance(copy, Team)],
        workflows=[copy for copy in copies if isinstance(copy, Workflow)],
        db=database,
        telemetry=False,
    )
    described.dbs = {DATABASE_ID: [database]}
    app = FastAPI(routes=[route for make in _ROUTERS for route in make(described, described.settings).routes])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://agentos")


async def _get(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(path)
    answer.raise_for_status()
    return answer.json()


async def _entries(
    client: httpx.AsyncClient, kind: Kind, components: Components, config: JsonObject
) -> list[JsonObject]:
    listed = await _get(client, f"/{kind.plural}")
    return [
        {
            "id": component.id,
            "name": component.name or component.id,
            "history_runs": history_runs(component),
            "durable": is_durable(component),
            "history_if_asked": history_if_asked(component),
            "checked": any(getattr(part, "post_hooks", None) for part in parts(component)),
            "config": in_config,
            "listed": in_list,
            "detail": await _get(client, f"/{kind.plural}/{component.id}"),
            "quick_prompts": _quick_prompts(component),
        }
        for component, in_config, in_list in zip(components.all(kind), config[kind.plural], listed, strict=True)
    ]


def is_durable(component: AgnoComponent) -> bool:
    """Whether the component's owner lets its runs survive their executors."""
    asked: Json = plain_object(component.metadata or {}).get("durable", False)
    if not isinstance(asked, bool):
        raise ComponentsError(f"{component.id}: metadata['durable'] is neither true nor false")
    return asked


def _quick_prompts(component: AgnoComponent) -> list[str]:
    prompts: Json = plain_object(component.metadata or {}).get("quick_prompts")
    if prompts is None:
        return []
    if not isinstance(prompts, list) or not all(isinstance(prompt, str) for prompt in prompts):
        raise ComponentsError(f"{component.id}: metadata['quick_prompts'] is not a list of texts")
    return prompts


def _models(components: Sequence[AgnoComponent]) -> Iterator[JsonObject]:
    seen: list[tuple[str, str]] = []
    for component in components:
        for part in parts(component):
            model = getattr(part, "model", None)
            if isinstance(model, Model) and model.provider and (model.id, model.provider) not in seen:
                seen.append((model.id, model.provider))
                yield {"id": model.id, "provider": model.provider}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Gives its exit status: 0, or 2 after one line that says what is wrong with the components."""
    parser = argparse.ArgumentParser(prog="build_manifest", description="Describe the components in a document.")
    parser.add_argument("--components", metavar="FILE", help="the components' file (default: the module 'components')")
    parser.add_argument("-o", "--output", metavar="FILE", required=True, type=Path, help="where to write it")
    parser.add_argument(
        "--try-model",
        action="store_true",
        help=f"see first whether the model of {VARIABLE} can be made, and what it needs",
    )
    given = parser.parse_args(arguments)
    try:
        tried = [default_model()] if given.try_model else []
        os.environ[VARIABLE] = PLACEHOLDER_SETTING
        document = describe_components(load_components(given.components))
        document["model_needs"] = [*model_needs(tried), *document["model_needs"]]
    except ComponentsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    given.output.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
