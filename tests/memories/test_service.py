"""What requests do with memories, over every store."""

from dataclasses import replace

import pytest
from moto.backends import get_backend

from agentos_lambda.memories.listing import MemoryQuery
from agentos_lambda.memories.service import MemoryService
from agentos_lambda.runs.errors import InvalidRequest, NotFound, NotStorable, StoreUnavailable
from agentos_lambda.runs.memories import Memory, MemoryChange, MemoryFilter, MemoryOwner
from agentos_lambda.stores.dynamodb.memory_items import memory_item, user_key


@pytest.fixture
def write(memories, clock):
    """Creates a memory a second after the one before."""

    def create(text, user_id="ada", topics=()):
        clock.advance(1_000)
        return memories.create(user_id, text, topics)

    return create


def texts(page):
    return [memory.text for memory in page.memories]


def test_a_memory_is_created_and_read(memories, write):
    made = write("likes tea", topics=["drinks"])

    assert memories.get(made.memory_id, "ada") == memories.get(made.memory_id, None) == made
    assert (made.text, made.topics, made.created_at) == ("likes tea", ("drinks",), made.updated_at)


def test_a_memory_of_another_user_is_not_there(memories, write):
    made = write("likes tea")

    for memory_id, user_id in (
        (made.memory_id, "bob"),
        ("none", "ada"),
        ("none", None),
        ("a\nb", None),
        ("é" * 600, "ada"),
    ):
        with pytest.raises(NotFound, match=f"^Memory with ID {memory_id} not found$"):
            memories.get(memory_id, user_id)


def test_a_change_replaces_text_and_topics_and_leaves_id_owner_and_creation(memories, write, clock):
    made = write("likes tea", topics=["drinks"])
    clock.advance(5)

    changed = memories.update(made.memory_id, "bob", "likes coffee", [])

    assert memories.get(made.memory_id, None) == changed
    assert (changed.text, changed.topics, changed.user_id) == ("likes coffee", (), "ada")
    assert (changed.created_at, changed.updated_at) == (made.created_at, made.created_at + 5)


def test_a_change_of_an_unknown_memory_creates_it(memories):
    memories.update("chosen", "ada", "likes tea", [])

    assert memories.get("chosen", "ada").text == "likes tea"


def test_what_cannot_be_stored_is_refused(memories):
    with pytest.raises(InvalidRequest, match="id of a memory"):
        memories.update("a\nb", "ada", "text", [])
    with pytest.raises(NotStorable):
        memories.update("m", "ada", "text", ["topic" * 10_000])


def test_deleting_twice_changes_nothing(memories, write):
    made, other = write("likes tea"), write("likes milk")

    memories.delete([made.memory_id], "bob")
    assert memories.list(MemoryQuery("ada")).total == 2
    for _ in range(2):
        memories.delete([made.memory_id, "none", "a\nb"], None)

    assert memories.list(MemoryQuery("ada")).memories == [other]
    assert memories.list(MemoryQuery("ada")).total == 1


def test_a_user_without_a_name_has_no_memories_and_deletes_nobodys(memories, write):
    made = write("likes tea", topics=["drinks"])

    memories.delete([made.memory_id], "")

    with pytest.raises(NotFound):
        memories.get(made.memory_id, "")
    assert (memories.list(MemoryQuery("")).total, memories.topics(""), memories.owners("")) == (0, [], [])
    assert memories.list(MemoryQuery()).memories == [made]


def test_many_are_deleted_at_once(memories, write):
    made = [write(str(number)) for number in range(60)]

    memories.delete([memory.memory_id for memory in made[1:]], "ada")

    assert memories.list(MemoryQuery("ada")).memories == made[:1]


def test_pages_come_in_the_order_of_the_last_change(memories, write, clock):
    made = [write(f"memory {number}") for number in range(5)]
    clock.advance(1)
    memories.update(made[1].memory_id, "ada", "changed", [])
    write("another's", "bob")

    first = memories.list(MemoryQuery("ada", limit=2))
    second = memories.list(MemoryQuery("ada", limit=2, page=2))
    oldest = memories.list(MemoryQuery("ada", limit=2, ascending=True))
    behind = memories.list(MemoryQuery("ada", limit=2, page=4))

    assert [texts(page) for page in (first, second, oldest, behind)] == [
        ["changed", "memory 4"], ["memory 3", "memory 2"], ["memory 0", "memory 2"], [],
    ]  # fmt: skip
    assert first.total == second.total == oldest.total == behind.total == 5


def test_a_list_of_all_users_has_the_newest_of_each(memories, write):
    for number in range(6):
        write(f"memory {number}", f"user-{number % 3}")

    page = memories.list(MemoryQuery(limit=4))

    assert (texts(page), page.total) == (["memory 5", "memory 4", "memory 3", "memory 2"], 6)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (MemoryFilter(topics=("FOOD",)), ["eats cake", "likes tea"]),
        (MemoryFilter(topics=("food", "drinks")), ["likes tea"]),
        (MemoryFilter(search="LIKES"), ["likes milk", "likes tea"]),
        (MemoryFilter(search="%"), []),
        (MemoryFilter(agent_id="writer"), []),
    ],
)
def test_a_list_is_filtered(memories, write, wanted, found):
    write("likes tea", topics=["drinks", "food"])
    write("likes milk", topics=["drinks"])
    write("eats cake", topics=["food"])

    page = memories.list(MemoryQuery("ada", wanted))

    assert (texts(page), page.total) == (found, len(found))


def test_a_list_is_sorted_by_what_else_is_asked_for(memories, write):
    for text in ("b", "c", "a"):
        write(text)

    assert texts(memories.list(MemoryQuery("ada", sort_by="memory", ascending=True))) == ["a", "b", "c"]
    assert texts(memories.list(MemoryQuery("ada", sort_by="created_at"))) == ["a", "c", "b"]
    assert texts(memories.list(MemoryQuery("ada", sort_by="nothing"))) == ["a", "c", "b"]


def test_topics_are_told_once(memories, write):
    write("likes tea", topics=["drinks", "food"])
    write("likes milk", "bob", topics=["drinks"])

    assert (memories.topics("ada"), memories.topics("bob"), memories.topics(None)) == (
        ["drinks", "food"], ["drinks"], ["drinks", "food"],
    )  # fmt: skip


def test_users_are_told_with_how_many_memories_they_have(memories, write):
    write("likes tea")
    last = write("likes milk")
    gone = write("likes nothing", "bob")
    memories.delete([gone.memory_id], "bob")
    newest = write("likes all", "eve")

    assert memories.owners(None) == [
        MemoryOwner("eve", 1, newest.updated_at),
        MemoryOwner("ada", 2, last.updated_at),
    ]
    assert memories.owners("ada") == [MemoryOwner("ada", 2, last.updated_at)]
    assert memories.owners("bob") == memories.owners("nobody") == []


class Interrupted:
    """A directory in which somebody else changes the memory between its reading and its change, so many times."""

    def __init__(self, directory, times):
        self._directory = directory
        self._times = times

    def __getattr__(self, name):
        return getattr(self._directory, name)

    def change_memories(self, changes, *, now):
        if self._times:
            self._times -= 1
            there = self._directory.find_memory(changes[0].memory_id, "ada")
            other = replace(there, text="other", revision=f"other {self._times}")
            change = MemoryChange("ada", there.memory_id, there.revision, other)
            assert self._directory.change_memories([change], now=now)
        return self._directory.change_memories(changes, now=now)


@pytest.mark.parametrize("times", [1, 9])
def test_a_request_is_tried_again_if_somebody_else_comes_first(directory, clock, write, times):
    made = write("likes tea")
    memories = MemoryService(Interrupted(directory, times), clock, new_id=lambda: f"new {clock.now()}")

    if times == 1:
        memories.update(made.memory_id, "ada", "likes coffee", [])
        assert memories.get(made.memory_id, "ada").text == "likes coffee"
    else:
        with pytest.raises(StoreUnavailable):
            memories.update(made.memory_id, "ada", "likes coffee", [])


def fill(moto_aws, number, user_id):
    """Memories that lie there, past the requests of moto, which would take too long."""
    made = [Memory(user_id, f"{user_id} {each}", "text", each, each, f"r{each}") for each in range(number)]
    backends = [backend for regions in get_backend("dynamodb").values() for backend in regions.values()]
    table = next(each.tables[name] for each in backends if (name := moto_aws.tables.memories) in each.tables)
    for item in [*map(memory_item, made), {**user_key(user_id), "total": {"N": str(number)}}]:
        table.put_item(item)


@pytest.mark.sample
def test_a_page_costs_the_same_at_a_hundred_memories_and_at_ten_thousand(moto_aws, clock):
    store = moto_aws.store()
    sent = []

    def note(parsed, model, **_):
        sent.append((model.name, parsed.get("ScannedCount"), len(parsed.get("Items", ()))))

    def cost(user_id):
        sent.clear()
        page = MemoryService(store, clock, new_id=str).list(MemoryQuery(user_id))
        return page.total, list(sent)

    fill(moto_aws, 100, "few")
    fill(moto_aws, 10_000, "many")
    moto_aws.dynamodb.meta.events.register("after-call.dynamodb", note)

    try:
        (few, first), (many, second) = cost("few"), cost("many")
    finally:
        moto_aws.dynamodb.meta.events.unregister("after-call.dynamodb", note)

    assert (few, many) == (100, 10_000)
    # What is scanned is what is paid for.
    assert first == second == [*[("GetItem", None, 0)] * 2, ("Query", 20, 20)]
