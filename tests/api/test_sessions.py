"""What the routes of sessions answer, besides what the comparison with AgentOS shows."""

from __future__ import annotations

import pytest

from agentos_lambda.api.routes.sessions import MAX_PAGE
from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.titles import MAX_TITLE_LENGTH

pytestmark = pytest.mark.anyio


async def create(api, session_id="talk", **body):
    answer = await api.client.post("/sessions", json={"session_id": session_id, **body})
    assert answer.status_code == 201
    return answer.json()


async def listed(api, **params):
    answer = await api.client.get("/sessions", params=params)
    assert answer.status_code == 200
    return [session["session_id"] for session in answer.json()["data"]]


async def test_a_session_without_an_id_gets_one(api):
    answer = await api.client.post("/sessions")
    assert answer.status_code == 201
    assert await listed(api) == [answer.json()["session_id"]]


async def test_a_taken_id_is_a_conflict_and_changes_nothing(api):
    await create(api, session_name="First")
    answer = await api.client.post("/sessions", json={"session_id": "talk", "session_name": "Second"})
    assert (answer.status_code, answer.json()["error_code"]) == (409, "CONFLICT")
    assert (await api.client.get("/sessions/talk")).json()["session_name"] == "First"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/sessions", {"session_id": "with/slash"}),
        ("POST", "/sessions", {"session_id": "line\nbreak"}),
        ("POST", "/sessions", {"user_id": "control\x00"}),
        ("POST", "/sessions", {"session_name": "x" * 1025}),
        ("PATCH", "/sessions/talk", {"session_name": "x" * 1025}),
        ("PATCH", "/sessions/talk", {"summary": {"topics": []}}),
        ("PATCH", "/sessions/talk", {"summary": {"summary": "Ships", "updated_at": "yesterday"}}),
        ("POST", "/sessions/talk/rename", {"session_name": "x" * 1025}),
        ("DELETE", "/sessions", {"session_ids": ["a"] * 101, "session_types": ["agent"] * 101}),
    ],
)
async def test_what_could_never_be_kept_or_found_again_is_refused(api, method, path, body):
    await create(api)
    answer = await api.client.request(method, path, json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (422, "VALIDATION_ERROR")


async def test_a_page_is_limited(api):
    answer = await api.client.get("/sessions", params={"limit": MAX_PAGE + 1})
    assert answer.status_code == 422
    assert (await api.client.get("/sessions", params={"limit": MAX_PAGE, "page": 10**9})).json()["data"] == []


async def test_a_name_is_found_in_upper_and_lower_case_whatever_its_letters(api):
    await create(api, session_name="Überfahrt")
    await create(api, "other", session_name="Landgang")
    assert await listed(api, session_name="ÜBER") == ["talk"]


async def test_the_first_message_names_a_session_and_is_found(api):
    await api.world.run("What is a ship? " + "x" * MAX_TITLE_LENGTH, session_id="talk")
    [found] = (await api.client.get("/sessions", params={"session_name": "ship"})).json()["data"]
    assert found["session_name"].startswith("What is a ship? ")
    assert len(found["session_name"]) == MAX_TITLE_LENGTH


async def test_sessions_are_sorted_by_their_last_change(api):
    for session_id in ("first", "second", "third"):
        await create(api, session_id)
        api.world.clock.advance(1000)
    await api.client.post("/sessions/first/rename", json={"session_name": "again"})
    assert await listed(api, sort_by="updated_at") == ["first", "third", "second"]
    assert await listed(api, sort_by="updated_at", sort_order="asc", limit=1) == ["second"]


@pytest.mark.parametrize(
    ("field", "order"),
    [
        ("session_id", ["a", "b", "c"]),
        ("session_type", ["c", "a", "b"]),
        ("user_id", ["b", "a", "c"]),
        ("agent_id", ["a", "b", "c"]),
        ("team_id", ["c", "a", "b"]),
        ("nothing", ["c", "a", "b"]),
    ],
)
async def test_sessions_are_sorted_by_what_an_index_holds_of_them(api, field, order):
    for session_id, kind, body in (
        ("c", "agent", {"user_id": "eve", "agent_id": "writer"}),
        ("a", "team", {"user_id": "bob", "team_id": "crew"}),
        ("b", "team", {"user_id": "ada", "team_id": "staff"}),
    ):
        await api.client.post(f"/sessions?type={kind}", json={"session_id": session_id, **body})
        api.world.clock.advance(1000)
    assert await listed(api, sort_by=field, sort_order="asc") == order
    assert await listed(api, sort_by=field) == order[::-1]


async def test_a_user_without_a_name_has_no_sessions(api):
    await create(api, user_id="alice")
    await create(api, "nobody's")
    assert await listed(api, user_id="") == []


@pytest.mark.parametrize("page", [0, -1, "", "two", 10**12])
async def test_pages_count_from_one(api, page):
    assert (await api.client.get("/sessions", params={"page": page})).status_code == 422


async def test_a_change_without_a_body_is_refused_and_changes_nothing(api):
    before = await create(api)
    api.world.clock.advance(10_000)
    assert (await api.client.patch("/sessions/talk")).status_code == 422
    assert (await api.client.get("/sessions/talk")).json()["updated_at"] == before["updated_at"]


@pytest.mark.parametrize("kind", list(Kind))
async def test_a_changed_session_has_the_shape_of_its_own_kind(api, kind):
    await create(api)
    for method, path in (("PATCH", "/sessions/talk"), ("POST", "/sessions/talk/rename")):
        answer = await api.client.request(method, path, params={"type": kind}, json={"session_name": "New"})
        assert (answer.status_code, answer.json()["agent_session_id"]) == (200, "talk")


async def test_a_component_and_a_user_together(api):
    await create(api, "both", agent_id="writer", user_id="alice")
    await create(api, "another's", agent_id="editor", user_id="alice")
    await create(api, "nobody's", agent_id="writer")
    assert await listed(api, component_id="writer", user_id="alice") == ["both"]


@pytest.mark.parametrize("path", ["", "/runs", "/run-previews", "/runs/some"])
async def test_a_session_of_another_user_is_not_found(api, path):
    await create(api, user_id="bob")
    assert (await api.client.get(f"/sessions/talk{path}", params={"user_id": "alice"})).status_code == 404
    for method, body in (("PATCH", {}), ("POST", {"session_name": "x"})):
        target = "/sessions/talk/rename" if method == "POST" else "/sessions/talk"
        answer = await api.client.request(method, target, params={"user_id": "alice"}, json=body)
        assert answer.status_code == 404
    assert (await api.client.delete("/sessions/talk", params={"user_id": "alice"})).status_code == 204
    assert await listed(api) == ["talk"]


async def test_a_patch_replaces_the_state_and_takes_no_key_from_a_run_that_goes_on(api):
    await create(api, session_state={"old": 1, "kept": 1})
    answer = await api.client.patch("/sessions/talk", json={"session_state": {"kept": 2}})
    assert answer.json()["session_state"] == {"kept": 2}
    answer = await api.client.patch("/sessions/talk", json={"session_state": {}})
    assert answer.json()["session_state"] == {}


async def test_the_engines_own_keys_are_kept_out_of_metadata(api):
    session = await create(api, metadata={"agno_component_version": 7, "tags": []})
    assert session["metadata"] == {"tags": []}


async def test_runs_of_a_session_are_listed_members_first(api):
    api.world.engine.script["members"] = ({"run_id": "inner", "agent_id": "a", "parent_run_id": "outer"},)
    await api.world.run(session_id="talk", run_id="outer")
    runs = (await api.client.get("/sessions/talk/runs")).json()
    assert [run["run_id"] for run in runs] == ["inner", "outer"]
    assert (await api.client.get("/sessions/talk/runs/inner")).json()["parent_run_id"] == "outer"


async def test_an_unknown_database_is_not_found_and_a_table_needs_one(api):
    assert (await api.client.get("/sessions", params={"db_id": "another"})).status_code == 404
    assert (await api.client.get("/sessions", params={"table": "another"})).status_code == 400


async def test_deleting_twice_is_deleting_once(api):
    await api.world.run(session_id="talk")
    for _ in range(2):
        assert (await api.client.delete("/sessions/talk")).status_code == 204
    assert len(api.world.queue.deletions) == 1
    assert await listed(api) == []


async def test_nothing_is_deleted_while_the_queue_does_not_answer(api):
    await create(api)
    api.world.queue.down = True
    assert (await api.client.delete("/sessions/talk")).status_code == 503
    assert await listed(api) == ["talk"]


@pytest.mark.parametrize("kind", list(Kind))
async def test_a_session_may_be_asked_for_in_another_kinds_shape(api, kind):
    await create(api)
    answer = await api.client.get("/sessions/talk", params={"type": kind})
    assert answer.status_code == 200
    assert ("agent_session_id" in answer.json()) == (kind is Kind.AGENT)


MEDIA = {
    "picture": {"id": "picture", "content": "iVBORw0KGgo=", "mime_type": "image/png"},
    "note": {"id": "note", "content": "grüße", "mime_type": "text/plain; charset=utf-8"},
    "data": {"id": "data", "content": '{"a": 1}', "mime_type": "application/json"},
    "page": {"id": "page", "content": "PGI+", "mime_type": "text/html"},
    "odd": {"id": "odd", "content": "AAAA", "mime_type": "image/png\r\nset-cookie: a=b"},
}


@pytest.fixture
async def with_media(api):
    api.world.engine.script["members"] = ({"run_id": "inner", "agent_id": "a", "input": {"files": [*MEDIA.values()]}},)
    await api.world.run(session_id="talk", user_id="ada")
    return api


@pytest.mark.parametrize(
    ("key", "content", "media_type"),
    [
        ("picture", b"\x89PNG\r\n\x1a\n", "image/png"),
        ("note", "grüße".encode(), "text/plain; charset=utf-8"),
        ("data", b'{"a": 1}', "application/json"),
        ("page", b"PGI+", "application/octet-stream"),
        ("odd", b"\0\0\0", "application/octet-stream"),
    ],
)
async def test_media_of_a_session_are_given_as_bytes_that_no_browser_executes(with_media, key, content, media_type):
    answer = await with_media.client.get(f"/sessions/talk/media/{key}")
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, content, media_type)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert ("content-disposition" in answer.headers) == (media_type == "application/octet-stream")


async def test_media_can_be_had_by_a_link_once_the_owner_is_checked(with_media):
    path, redirect = "/sessions/talk/media/picture", {"redirect": "true"}
    answer = await with_media.client.get(path, params={**redirect, "user_id": "ada"})
    assert (answer.status_code, answer.headers["location"]) == (307, "https://bucket.test/talk/8/image/png")
    assert (await with_media.client.get(path, params={**redirect, "user_id": "bob"})).status_code == 404


@pytest.mark.parametrize("path", ["/sessions/talk/media/some/thing", "/sessions/other/media/picture"])
async def test_media_that_are_not_in_the_session_are_not_found(with_media, path):
    assert (await with_media.client.get(path)).status_code == 404
