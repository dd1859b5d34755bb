"""Runs and sessions of another user look the same as missing ones, on every route."""

import pytest

from tests.api.test_runs import KINDS

pytestmark = pytest.mark.anyio

RUN = {"message": "hi", "session_id": "s", "run_id": "r", "stream": True}
READS = {
    "get": ("GET", "/runs/r", "Run not found"),
    "list": ("GET", "/runs?session_id=s", "Session not found"),
    "resume": ("POST", "/runs/r/resume", "Run not found"),
    "cancel": ("POST", "/runs/r/cancel", "Run not found"),
}


def asked(path, name, user_id):
    method, route, _ = READS[name]
    return method, f"{path}{route}{'&' if '?' in route else '?'}user_id={user_id}"


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize("name", READS)
async def test_what_is_another_users_is_a_404(api, path, name):
    await api.client.post(f"{path}/runs", json={**RUN, "user_id": "alice"})
    answer = await api.client.request(*asked(path, name, "bob"))
    assert (answer.status_code, answer.json()["detail"]) == (404, READS[name][2])
    for user_id in ("alice", None):
        method, url = asked(path, name, user_id)
        answer = await api.client.request(method, url if user_id else url.partition("user_id")[0])
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize("name", ["resume", "cancel"])
@pytest.mark.parametrize("sent", ["json", "data"])
async def test_a_body_names_a_user_and_a_session_as_well(api, path, name, sent):
    await api.client.post(f"{path}/runs", json={**RUN, "user_id": "alice"})
    method, route, detail = READS[name]
    for who in ({"user_id": "bob"}, {"session_id": "another"}, {"user_id": "alice", "session_id": "another"}):
        answer = await api.client.request(method, f"{path}{route}", **{sent: who})
        assert (answer.status_code, answer.json()["detail"]) == (404, detail)
    answer = await api.client.request(method, f"{path}{route}", **{sent: {"user_id": "alice", "session_id": "s"}})
    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["resume", "cancel"])
@pytest.mark.parametrize("field", ["user_id", "session_id"])
async def test_a_body_does_not_outvote_the_query(api, name, field):
    await api.client.post("/agents/assistant/runs", json={**RUN, "user_id": "alice"})
    url = f"/agents/assistant{READS[name][1]}?{field}=bob"
    answer = await api.client.post(url, json={field: "alice"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


@pytest.mark.parametrize("user_id", ["", "x" * 257, "a%0Ab"])
async def test_a_user_in_a_query_follows_the_rules_for_users(api, user_id):
    for name in READS:
        answer = await api.client.request(*asked("/agents/assistant", name, user_id))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "user_id")


@pytest.mark.parametrize(
    "user_id",
    [
        "auth0|5f7c2a",
        "ada+work@example.com",
        "+4917012345",
        "user#1",
        "J\u00fcrgen",
        "Ada Lovelace",
        "https://id.example/u?x=1&y=/",
    ],
)
async def test_a_user_of_any_name_owns_its_session_and_its_runs(api, user_id):
    client, path = api.client, "/agents/assistant/runs"
    for sent in ("json", "data"):
        ran = await client.post(
            path, **{sent: {"message": "hi", "session_id": f"of {user_id}".replace("/", "|"), "user_id": user_id}}
        )
        assert ran.status_code == 200, ran.text
    session_id = f"of {user_id}".replace("/", "|")
    assert len((await client.get(path, params={"session_id": session_id, "user_id": user_id})).json()) == 2
    for other in ("Ju\u0308rgen", user_id.upper() + "x", user_id + " "):
        answer = await client.get(path, params={"session_id": session_id, "user_id": other})
        assert answer.status_code == 404


@pytest.mark.parametrize("path", KINDS)
async def test_the_first_named_user_of_everybodys_session_does_not_take_it_over(api, path):
    for user_id in (None, "alice", None, "bob"):
        answer = await api.client.post(f"{path}/runs", json={"message": "hi", "session_id": "s", "user_id": user_id})
        assert answer.status_code == 200, answer.text
    assert len((await api.client.get(f"{path}/runs?session_id=s")).json()) == 4
    assert len((await api.client.get(f"{path}/runs?session_id=s&user_id=bob")).json()) == 3
