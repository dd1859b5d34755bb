"""What is checked, in order, and where to look if it fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from scripts.smoke import http_checks as http
from scripts.smoke import websocket_checks as websocket
from scripts.smoke.target import Failed, Skipped, Target


@dataclass(frozen=True, slots=True)
class Check:
    """``run`` gives what it saw, or raises ``Failed`` or ``Skipped``."""

    name: str
    run: Callable[[Target], str]
    look: str
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a check: ``pass``, ``FAIL`` or ``skip``."""

    name: str
    outcome: str
    seen: str
    look: str
    seconds: float


CHECKS = (
    Check(
        "the API describes itself",
        http.describes_itself,
        "the config function's log; the URL, which ends with the stage (/v1) unless the stack has a domain",
    ),
    Check(
        "nobody gets in without the key",
        http.requires_the_key,
        "SECURITY_KEY_SECRET of the functions, and the authorizer if there is one",
    ),
    Check("events arrive as they happen", http.streams, "the log of the agents function"),
    Check(
        "a run survives its client",
        http.survives_a_disconnect,
        "the log of the agents function by run_id; a proxy that cancels the function's request",
    ),
    Check(
        "a component that fails is reported",
        http.reports_a_failing_component,
        "the log of the agents function; a proxy that replaces answers",
    ),
    Check(
        "an upload of 4 MB arrives",
        http.takes_an_upload,
        "multipart/form-data among the API's binary media types; the limits of a WAF or a proxy",
    ),
    Check(
        "an upload of 8 MB is refused",
        http.refuses_a_large_upload,
        "the gateway response REQUEST_TOO_LARGE; a WAF's limit",
    ),
    Check(
        "errors have one format",
        http.has_one_format_of_errors,
        "the API's gateway responses, and whether its stage was deployed after they changed",
    ),
    Check(
        "pages may call (CORS)",
        http.lets_pages_call,
        "the parameter CorsOrigins, ORIGIN=… of this command, and a proxy that drops headers",
    ),
    Check(
        "a background run completes",
        http.runs_in_the_background,
        "whether the worker's event source is enabled; the worker's log; the dead-letter queue",
    ),
    Check(
        "a second client cancels a run",
        http.cancels_from_elsewhere,
        "the logs of control and agents by run_id",
    ),
    Check(
        "a session is listed",
        http.lists_sessions,
        "the log of control; the indexes of the table of sessions",
    ),
    Check("a memory is kept", http.keeps_memories, "the log of control; the table of memories"),
    Check(
        "the WebSocket authenticates",
        websocket.greets_and_authenticates,
        "403 or 500: the last deployment of the WebSocket's stage; no greeting: `could not be greeted` in its log",
    ),
    Check(
        "a workflow is followed and rejoined",
        websocket.follows_and_rejoins,
        "the worker's log by run_id; its role's right to execute-api:ManageConnections",
    ),
    Check(
        "six minutes of silence are outlasted",
        http.outlasts_silence,
        "an edge-optimised endpoint, a proxy or a load balancer in front that cuts idle connections",
        slow=True,
    ),
    Check("what this has made is removed", http.removes_what_it_made, "the log of control"),
)


def run(target: Target, checks: Iterable[Check] = CHECKS, *, slow: bool = False) -> Iterator[Result]:
    """Each check's result, as soon as it is there. What takes minutes is left out unless ``slow``."""
    for check in checks:
        began = time.monotonic()
        if check.slow and not slow:
            outcome, seen, look = "skip", "SLOW=1 runs it", ""
        else:
            outcome, seen, look = _run(check, target)
        yield Result(check.name, outcome, seen, look, time.monotonic() - began)


def _run(check: Check, target: Target) -> tuple[str, str, str]:
    try:
        return "pass", check.run(target), ""
    except Skipped as reason:
        return "skip", str(reason), ""
    except Failed as failed:
        return "FAIL", str(failed), failed.look or check.look
    except Exception as error:  # noqa: BLE001 - whatever a stack answers, the other checks are made
        return "FAIL", f"{type(error).__name__}: {error}", check.look
