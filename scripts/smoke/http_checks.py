"""What a client of the HTTP API may rely on."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from http import HTTPStatus
from itertools import pairwise
from typing import Any

import httpx

from scripts.smoke.target import ASK_EVERY_SECONDS, Skipped, Target, answered, arrivals, ended, expect, shown

PAUSE_SECONDS = 0.3
"""Between the words of a streamed answer."""
SILENT_PAUSE_SECONDS = 60.0
"""Between the six words of an answer that is given in one piece: six minutes of silence."""
MEGABYTE = 1_000_000
NOT_STREAM = (
    "the events came in one piece, so something between the function and here collects them: the API's integration is "
    "not STREAM (is ResponseMode streaming? was the stage deployed again?), or a proxy or CDN buffers"
)
EMPTY = "the function streams, but the integration is buffered: deploy again, the stage is old"
SERVER_ERROR = (
    "the integration streams, but the function does not: is AWS_LAMBDA_EXEC_WRAPPER set, and has its layer "
    "bin/stream-wrapper? In a region whose Lambda does not stream, use ResponseMode=buffered"
)


def describes_itself(target: Target) -> str:
    """Health, and what there is to run."""
    with target.client() as client:
        health = answered(client.get("/health"), 200)
        expect(health.get("status") == "ok", f"/health says {health}")
        info = answered(client.get("/info"), 200)
    return f"{info['agent_count']} agents, {info['team_count']} teams, {info['workflow_count']} workflows"


def requires_the_key(target: Target) -> str:
    """Nobody gets in without it."""
    if target.key is None:
        raise Skipped("no KEY is given")
    for key in (None, "not-the-key"):
        with target.client(key=key) as client:
            answer = client.get("/agents")
        expect(
            answer.status_code == HTTPStatus.UNAUTHORIZED, f"{'another key' if key else 'no key'} gave {shown(answer)}"
        )
    return "401 without it, and with another one"


def streams(target: Target) -> str:
    """Times between events."""
    slow = f"[slow {PAUSE_SECONDS}s] one two three"
    form = target.run(slow if target.obeys else "Count from one to thirty, in words.", stream="true")
    with target.client() as client, client.stream("POST", target.runs, data=form) as answer:
        if not answer.is_success:
            answer.read()
            broken = answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
            expect(False, shown(answer), SERVER_ERROR if broken else "")
        events = list(arrivals(answer))
    expect(bool(events), "status 200 and no event", EMPTY)
    expect(events[-1].name == "RunCompleted", f"the last event is {events[-1].name}")
    span = events[-1].at - events[0].at
    if not target.streams:
        return f"{len(events)} events, in one piece as configured"
    expect(span > (3 * PAUSE_SECONDS if target.obeys else 0.2), f"{len(events)} events within {span:.2f} s", NOT_STREAM)
    gaps = [later.at - earlier.at for earlier, later in pairwise(events)]
    return f"{len(events)} events over {span:.1f} s, the longest gap {max(gaps):.1f} s"


def survives_a_disconnect(target: Target) -> str:
    """The run of a client that went away goes on, and can be read back."""
    form = target.run("[slow 300ms] one two three" if target.obeys else "Count from one to thirty.", stream="true")
    with target.client(seconds=2) as client, suppress(httpx.ReadTimeout):
        if target.streams:
            with client.stream("POST", target.runs, data=form) as answer:
                next(arrivals(answer), None)
        else:
            client.post(target.runs, data=form)
    path = f"{target.runs}/{form['run_id']}"
    with target.client() as client:
        run = ended(client, path)
        expect(run["status"] == "COMPLETED", f"the run is {run['status']}")
        with client.stream("POST", f"{path}/resume", data={"last_event_index": "0"}) as answer:
            missed = list(arrivals(answer))
    names = [event.name for event in missed]
    expect(names[-1:] == ["RunCompleted"], f"resuming it gave {names[-1:] or 'no event'}")
    return f"COMPLETED; {len(missed)} missed events were sent again"


def reports_a_failing_component(target: Target) -> str:
    """A component that fails is a run with the status ERROR, not an HTTP error."""
    target.needs_demo()
    with target.client() as client:
        whole = answered(client.post(target.runs, data=target.run("[fail]")), 200)
        expect(whole["status"] == "ERROR", f"in one piece, the run is {whole['status']}")
        with client.stream("POST", target.runs, data=target.run("[fail]", stream="true")) as answer:
            expect(answer.is_success, f"streamed, the status is {answer.status_code}")
            events = list(arrivals(answer))
    expect(bool(events) and events[-1].name == "RunError", f"the stream ends with {[e.name for e in events[-1:]]}")
    return "ERROR with status 200, and RunError as the last event"


def takes_an_upload(target: Target) -> str:
    """4 MB reach the component byte for byte."""
    body, answer = _uploaded(target, megabytes=4)
    run = answered(answer, 200)
    if not target.obeys:
        return f"status 200, the run is {run['status']}"
    expect(hashlib.sha256(body).hexdigest() in str(run["content"]), "the component got other bytes")
    return "its SHA-256 is in the answer"


def refuses_a_large_upload(target: Target) -> str:
    """8 MB are more than a function takes."""
    _, answer = _uploaded(target, megabytes=8)
    error = answered(answer, 413)
    expect(error.get("error_code") == "PAYLOAD_TOO_LARGE", f"413 with {error}")
    return "413 PAYLOAD_TOO_LARGE"


def _uploaded(target: Target, *, megabytes: int) -> tuple[bytes, httpx.Response]:
    """What was uploaded with a run, and the answer."""
    body = b"smoke\n" * (megabytes * MEGABYTE // 6)
    with target.client() as client:
        files = {"files": ("smoke.txt", body, "text/plain")}
        return body, client.post(target.runs, data=target.run("what is this?"), files=files)


def has_one_format_of_errors(target: Target) -> str:
    """Functions and API Gateway answer alike."""
    as_json = {"Content-Type": "application/json"}
    cases: list[tuple[str, str, bytes | None, int, str]] = [
        ("GET", "/agents/nobody-has-this-id", None, 404, "NOT_FOUND"),
        ("GET", "/no-such-path", None, 404, "NOT_FOUND"),
        ("POST", target.runs, b"{", 400, "BAD_REQUEST"),
        ("POST", target.runs, b"{}", 422, "VALIDATION_ERROR"),
    ]
    with target.client() as client:
        for method, path, body, status, code in cases:
            answer = client.request(method, path, content=body, headers=as_json if body else None)
            expect(answer.status_code == status, f"{method} {path} gave {shown(answer)} instead of {status}")
            error = _json(answer)
            expect(error.get("error_code") == code, f"{method} {path} gave {shown(answer)} instead of {code}")
            expect(isinstance(error.get("detail"), str), f"{method} {path} gave no sentence: {shown(answer)}")
    return ", ".join(str(status) for *_, status, _ in cases)


def lets_pages_call(target: Target) -> str:
    """CORS: before the request, with an answer, and with an error of API Gateway."""
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    with target.client() as client:
        asked = client.options(target.runs, headers={"Origin": target.origin, **preflight})
        answers = {
            "the preflight": asked,
            "an answer": client.get("/agents", headers={"Origin": target.origin}),
            "an error": client.get("/no-such-path", headers={"Origin": target.origin}),
        }
    for what, answer in answers.items():
        allowed = answer.headers.get("access-control-allow-origin")
        expect(allowed in (target.origin, "*"), f"{what} allows {allowed}, not {target.origin}")
    headers = asked.headers.get("access-control-allow-headers", "").lower()
    expect("authorization" in headers or headers == "*", f"the preflight allows the headers {headers!r}")
    return f"{target.origin} may call"


def runs_in_the_background(target: Target) -> str:
    """A worker executes it."""
    form = target.run("add 2 and 3", background="true")
    began = time.monotonic()
    with target.client() as client:
        accepted = answered(client.post(target.runs, data=form), 202)
        run = ended(client, f"{target.runs}/{accepted['run_id']}")
    expect(run["status"] == "COMPLETED", f"the run is {run['status']}: {run.get('content')}")
    return f"COMPLETED after {time.monotonic() - began:.1f} s"


def cancels_from_elsewhere(target: Target) -> str:
    """A second client stops what a first one follows."""
    form = target.run("[slow 500ms] " + "word " * 60 if target.obeys else "Tell me a story of two thousand words.")
    path = f"{target.runs}/{form['run_id']}"
    with target.client() as first, target.client() as second:
        if target.streams:
            with first.stream("POST", target.runs, data=form | {"stream": "true"}) as answer:
                events = arrivals(answer)
                expect(next(events, None) is not None, "the run has no event")
                began = time.monotonic()
                answered(second.post(f"{path}/cancel"), 200)
                last = [event.name for event in events][-2:]
            expect(last == ["RunCancelled", "RunCompleted"], f"the first client's stream ends with {last}")
        else:
            answered(first.post(target.runs, data=form | {"background": "true"}), 202)
            began = time.monotonic()
            answered(second.post(f"{path}/cancel"), 200)
        run = ended(second, path)
    expect(run["status"] == "CANCELLED", f"the run is {run['status']}")
    return f"CANCELLED after {time.monotonic() - began:.1f} s"


def lists_sessions(target: Target) -> str:
    """A session that a run began."""
    form = target.run("add 2 and 3")
    session = form["session_id"]
    with target.client() as client:
        answered(client.post(target.runs, data=form), 200)
        for _ in range(int(10 / ASK_EVERY_SECONDS)):  # the list's index is a moment behind
            page = answered(client.get("/sessions", params={"type": "agent", "limit": 100}), 200)
            if any(each["session_id"] == session for each in page["data"]):
                break
            time.sleep(ASK_EVERY_SECONDS)
        else:
            expect(False, f"{session} is not among the {len(page['data'])} newest sessions")
        runs = answered(client.get(f"/sessions/{session}/runs", params={"type": "agent"}), 200)
    expect([run["run_id"] for run in runs] == [form["run_id"]], f"it has {len(runs)} runs")
    return "listed, with its run"


def keeps_memories(target: Target) -> str:
    """Written, listed, removed."""
    text = f"smoke {time.time_ns()}"
    with target.client() as client:
        answer = client.post("/memories", json={"memory": text, "user_id": "smoke"})
        if answer.status_code in (403, 501):
            raise Skipped(f"no memories for this caller: {answer.status_code}")
        memory = answered(answer, 200)
        owner = {"user_id": memory["user_id"]}
        page = answered(client.get("/memories", params={**owner, "search_content": text}), 200)
        expect([each["memory"] for each in page["data"]] == [text], f"the list has {len(page['data'])} of it")
        answered(client.delete(f"/memories/{memory['memory_id']}", params=owner), 204)
    return "written, listed and removed"


def outlasts_silence(target: Target) -> str:
    """An answer in one piece that takes longer than API Gateway waits for a byte."""
    target.needs_demo()
    form = target.run(f"[slow {SILENT_PAUSE_SECONDS}s] one two three four")
    began = time.monotonic()
    with target.client(seconds=900) as client:
        answer = client.post(target.runs, data=form)
        expect(answer.status_code in (200, 202), shown(answer))
        run = ended(client, f"{target.runs}/{form['run_id']}", seconds=900)
        if target.streams:
            expect(_json(answer).get("status") == "COMPLETED", f"the answer is {shown(answer)}")
    expect(run["status"] == "COMPLETED", f"the run is {run['status']}: {run.get('content')}")
    return f"COMPLETED after {time.monotonic() - began:.0f} s"


def removes_what_it_made(target: Target) -> str:
    """The sessions of the checks before."""
    with target.client() as client:
        for session in target.sessions:
            answered(client.delete(f"/sessions/{session}"), 204)
        left = [each for each in target.sessions if client.get(f"/sessions/{each}").is_success]
    expect(not left, f"{len(left)} of {len(target.sessions)} sessions are still there")
    return f"{len(target.sessions)} sessions"


def _json(answer: httpx.Response) -> dict[str, Any]:
    """The object of an answer; an empty one if it is something else."""
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
