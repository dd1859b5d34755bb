"""A function's settings, from its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "WARNING", "ERROR", "CRITICAL", "FATAL")
"""Python's and Lambda's."""
_LOADING = ("at-start", "at-first-run")
_Default = TypeVar("_Default", int, None)


class InvalidSetting(ValueError):
    """A variable cannot be what it is set to. The text says which, and what it may be."""


@dataclass(frozen=True)
class Settings:
    """The environment variables of a function, as values."""

    runs_table: str = ""
    sessions_table: str = ""
    events_table: str = ""
    memories_table: str = ""
    bucket: str = ""
    connections_table: str = ""
    accounts_table: str = ""
    limits_table: str = ""
    queue_url: str = ""
    queue_limit: int | None = None
    """How many runs may wait for a worker; None if any number may."""
    events_ttl_seconds: int = 86_400
    """How long the event log is kept, after the end of the longest run that there may be."""
    longest_run_seconds: int = 86_400
    """How long a run may take, over all its slices."""
    max_slices: int = 200
    """How many executions of functions a run may take."""
    slice_seconds: int | None = None
    """How long a slice works before it looks for a safe point; None: two thirds of the time that its function has."""
    sessions_retention_days: int = 0
    """How long a session is kept after it was last written to; 0 for ever."""
    runs_retention_days: int = 0
    """How long a run is kept after its end; 0 for ever."""
    security_key: str | None = None
    """A key given as it is: for the local stack."""
    security_key_secret: str | None = None
    """The ARN of the secret that holds the key."""
    components_secret: str | None = None
    """The ARN of the secret with the variables of the components; only where they are run."""
    loads_components_at_start: bool = False
    """Whether a function that runs components imports them while it starts, or with its first run."""
    cors_origins: tuple[str, ...] = ()
    stack: str | None = None
    """The stack's name; None locally, where there is no stack."""
    under_sam_local: bool = False
    """Whether this is a container of ``sam local``, which has the stack's variables, but no stack."""
    websocket_url: str | None = None
    websocket_management_url: str | None = None
    """Where messages to connections are posted; None in a stack without a WebSocket."""
    websocket_text_interval_ms: int = 200
    """Text is sent to a connection at most this often."""
    websocket_source_limit: int | None = None
    """How many connections and messages may come from an address in a minute without the key; None if any number."""
    function: str = ""
    """The function's own name."""
    os_id: str = "agentos-lambda"
    os_name: str = "AgentOS on Lambda"
    log_level: str = "INFO"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """The settings of this process. A variable that is set to nothing counts as not set.

        Raises ``InvalidSetting``.
        """
        given = {name: value for name, value in environment.items() if value}
        return cls(
            runs_table=given.get("RUNS_TABLE", ""),
            sessions_table=given.get("SESSIONS_TABLE", ""),
            events_table=given.get("EVENTS_TABLE", ""),
            memories_table=given.get("MEMORIES_TABLE", ""),
            bucket=given.get("BUCKET", ""),
            connections_table=given.get("CONNECTIONS_TABLE", ""),
            accounts_table=given.get("ACCOUNTS_TABLE", ""),
            limits_table=given.get("LIMITS_TABLE", ""),
            queue_url=given.get("RUNS_QUEUE_URL", ""),
            queue_limit=_number(given, "QUEUE_LIMIT", None),
            events_ttl_seconds=_number(given, "EVENTS_TTL_SECONDS", cls.events_ttl_seconds),
            longest_run_seconds=_number(given, "LONGEST_RUN_SECONDS", cls.longest_run_seconds),
            max_slices=_number(given, "MAX_SLICES", cls.max_slices),
            slice_seconds=_number(given, "SLICE_SECONDS", None),
            sessions_retention_days=_number(given, "SESSIONS_RETENTION_DAYS", 0),
            runs_retention_days=_number(given, "RUNS_RETENTION_DAYS", 0),
            security_key=given.get("OS_SECURITY_KEY"),
            security_key_secret=given.get("SECURITY_KEY_SECRET"),
            components_secret=given.get("COMPONENTS_SECRET"),
            loads_components_at_start=_load_components(given.get("LOAD_COMPONENTS", "at-first-run")),
            cors_origins=tuple(origin.strip() for origin in given.get("CORS_ORIGINS", "").split(",") if origin.strip()),
            stack=given.get("STACK_NAME"),
            under_sam_local=given.get("AWS_SAM_LOCAL") == "true",
            websocket_url=given.get("WEBSOCKET_URL"),
            websocket_management_url=given.get("WEBSOCKET_MANAGEMENT_URL"),
            websocket_text_interval_ms=_number(given, "WEBSOCKET_TEXT_INTERVAL_MS", cls.websocket_text_interval_ms),
            websocket_source_limit=_number(given, "WEBSOCKET_SOURCE_LIMIT", 0) or None,
            function=given.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            os_id=given.get("AGENTOS_OS_ID", cls.os_id),
            os_name=given.get("AGENTOS_OS_NAME", cls.os_name),
            log_level=_level(given.get("LOG_LEVEL", cls.log_level)),
        )


def _number(given: Mapping[str, str], name: str, default: _Default) -> int | _Default:
    try:
        return int(given[name]) if name in given else default
    except ValueError:
        raise InvalidSetting(f"{name}={given[name]}: it is a whole number") from None


def _load_components(when: str) -> bool:
    if when not in _LOADING:
        raise InvalidSetting(f"LOAD_COMPONENTS={when}: it is one of {', '.join(_LOADING)}")
    return when == "at-start"


def _level(name: str) -> str:
    if name.upper() not in _LEVELS:
        raise InvalidSetting(f"LOG_LEVEL={name}: it is one of {', '.join(_LEVELS)}")
    return name
