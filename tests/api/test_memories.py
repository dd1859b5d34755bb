"""The routes of memories, as AgentOS 3.1 has them."""

import asyncio

import pytest

from agentos_lambda.runs.errors import ModelFailed
from tests.api.world import Api

pytestmark = pytest.mark.anyio

TEA = {"memory": "likes tea", "user_id": "ada", "topics": ["drinks", "food"]}


@pytest.fixture
def api():
    return Api()


async def ask(api, method, path, status=200, **request):
    answer = await api.client.request(method, path, **request)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def create(api, **memory):
    api.world.clock.advance(1_000)
    return await ask(api, "POST", "/memories", json={**TEA, **memory})


async def test_a_memory_is_created_read_changed_and_deleted(api):
    made = await create(api)
    path = f"/memories/{made['memory_id']}"

    assert made == {
        "memory_id": made["memory_id"],
        "memory": "likes tea",
        "topics": ["drinks", "food"],
        "agent_id": None,
        "team_id": None,
        "user_id": "ada",
        "updated_at": "2027-01-15T08:00:01Z",
    }
    assert await ask(api, "GET", path) == await ask(api, "GET", f"{path}?user_id=ada") == made
    changed = await ask(api, "PATCH", path, json={"memory": "likes coffee", "user_id": "bob"})
    assert (changed["memory"], changed["topics"], changed["user_id"]) == ("likes coffee", [], "ada")
    for _ in range(2):
        assert await ask(api, "DELETE", path, 204) is None
    missing = await ask(api, "GET", path, 404)
    assert missing["detail"] == f"Memory with ID {made['memory_id']} not found"


async def test_a_list_is_a_page_with_how_many_there_are(api):
    for text in ("one", "two", "three"):
        await create(api, memory=text)
    await create(api, memory="another's", user_id="bob", topics=None)

    page = await ask(api, "GET", "/memories?user_id=ada&limit=2&page=2")

    assert [each["memory"] for each in page["data"]] == ["one"]
    assert page["meta"] == {"page": 2, "limit": 2, "total_pages": 2, "total_count": 3, "search_time_ms": 0.0}
    assert [each["memory"] for each in (await ask(api, "GET", "/memories"))["data"]] == [
        "another's", "three", "two", "one",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("topics=food,drinks&topics=x", ["likes tea"]),
        ("topics= drinks ,", ["likes milk", "likes tea"]),
        ("topics=", ["likes milk", "likes tea"]),
        ("search_content=TEA", ["likes tea"]),
        ("agent_id=a", []),
        ("agent_id=", []),
        ("team_id=t", []),
        ("user_id=", []),
        ("sort_by=memory&sort_order=asc", ["likes milk", "likes tea"]),
        ("sort_order=asc", ["likes tea", "likes milk"]),
        ("sort_by=nothing", ["likes milk", "likes tea"]),
    ],
)
async def test_a_list_is_filtered_and_sorted(api, query, found):
    await create(api)
    await create(api, memory="likes milk", topics=["drinks"])

    page = await ask(api, "GET", f"/memories?{query}")

    assert [each["memory"] for each in page["data"]] == found


async def test_topics_and_statistics(api):
    assert await ask(api, "GET", "/memory_topics") == []
    await create(api)
    newest = await create(api, user_id="bob", topics=["drinks", "cows"])

    assert await ask(api, "GET", "/memory_topics") == ["cows", "drinks", "food"]
    assert await ask(api, "GET", "/memory_topics?user_id=ada") == ["drinks", "food"]
    page = await ask(api, "GET", "/user_memory_stats?limit=1")
    assert page["data"] == [
        {"user_id": "bob", "total_memories": 1, "last_memory_updated_at": newest["updated_at"]},
    ]
    assert page["meta"]["total_count"] == page["meta"]["total_pages"] == 2
    assert (await ask(api, "GET", "/user_memory_stats?user_id=nobody"))["data"] == []


async def test_several_are_deleted_of_a_user_or_of_any(api):
    made = [await create(api, user_id=user_id) for user_id in ("ada", "bob", "eve")]
    ids = [each["memory_id"] for each in made]

    await ask(api, "DELETE", "/memories", 204, json={"memory_ids": ids, "user_id": "ada"})
    assert [each["user_id"] for each in (await ask(api, "GET", "/memories"))["data"]] == ["eve", "bob"]
    await ask(api, "DELETE", "/memories", 204, json={"memory_ids": [*ids, "none"]})
    assert (await ask(api, "GET", "/memories"))["data"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/memories", {"memory": "x"}, 400),
        ("POST", "/memories", {"memory": "x", "user_id": ""}, 400),
        ("POST", "/memories", {"memory": "", "user_id": "ada"}, 422),
        ("POST", "/memories", {"memory": "x" * 5001, "user_id": "ada"}, 422),
        ("POST", "/memories", {"memory": 5, "user_id": "ada"}, 422),
        ("POST", "/memories", {"memory": "x", "user_id": "ada", "topics": "a"}, 422),
        ("POST", "/memories", {"memory": "x", "user_id": "a\nb"}, 422),
        ("POST", "/memories", {"user_id": "ada"}, 422),
        ("POST", "/memories", [], 400),
        ("PATCH", "/memories/m", {"memory": "x"}, 400),
        ("PATCH", "/memories/a%0Ab", {"memory": "x", "user_id": "ada"}, 400),
        ("DELETE", "/memories", {"memory_ids": []}, 422),
        ("DELETE", "/memories", {}, 422),
        ("GET", "/memories?limit=0", None, 422),
        ("GET", "/memories?page=0", None, 422),
        ("GET", "/memories?sort_order=up", None, 422),
        ("GET", "/memories?db_id=nope", None, 404),
        ("GET", "/memories?table=x", None, 400),
        ("GET", "/memories/a%0Ab", None, 404),
        ("GET", "/user_memory_stats?limit=0", None, 422),
    ],
)
async def test_what_is_wrong_is_told(api, method, path, body, status):
    answer = await ask(api, method, path, status, **({} if body is None else {"json": body}))

    assert set(answer) <= {"detail", "error_code", "errors"}


async def test_memories_are_said_in_one(api):
    await create(api)
    await create(api, memory="has a dog")
    await create(api, memory="another's", user_id="bob")

    shown = await ask(api, "POST", "/optimize-memories", json={"user_id": "ada", "apply": False})
    assert [each["memory"] for each in shown["memories"]] == ["has a dog likes tea"]
    assert (await ask(api, "GET", "/memories?user_id=ada"))["meta"]["total_count"] == 2

    done = await ask(api, "POST", "/optimize-memories", json={"user_id": "ada", "model": "openai:gpt-5-mini"})
    assert done == {
        "memories": (await ask(api, "GET", "/memories?user_id=ada"))["data"],
        "memories_before": 2,
        "memories_after": 1,
        "tokens_before": 20,
        "tokens_after": 7,
        "tokens_saved": 13,
        "reduction_percentage": 65.0,
    }
    assert api.summarizer.model == "openai:gpt-5-mini"
    assert (await ask(api, "GET", "/memories?user_id=bob"))["meta"]["total_count"] == 1


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({}, 422, "user_id: Field required"),
        ({"user_id": ""}, 400, "User ID is required"),
        ({"user_id": "ada", "model": 5}, 422, "model: Input should be a valid string"),
        ({"user_id": "nobody"}, 404, "No memories found for user nobody"),
        ({"user_id": "ada"}, 500, "Failed to optimize memories: out of order"),
    ],
)
async def test_what_cannot_be_said_in_one_is_refused_and_nothing_changes(api, body, status, detail):
    await create(api)
    api.summarizer.answer = ModelFailed("out of order")

    refused = await ask(api, "POST", "/optimize-memories", status, json=body)

    assert refused["detail"] == detail
    assert (await ask(api, "GET", "/memories"))["meta"]["total_count"] == 1


async def test_a_model_gets_no_more_time_than_the_answer_has(api, monkeypatch):
    await create(api)
    api.summarizer.summarize = lambda _memories: asyncio.Event().wait()
    monkeypatch.setattr("agentos_lambda.api.routes.optimize.answer_by", lambda _scope: api.world.clock.now() + 10)

    refused = await ask(api, "POST", "/optimize-memories", 500, json={"user_id": "ada"})

    assert refused["detail"] == "Failed to optimize memories: The model takes too long."
