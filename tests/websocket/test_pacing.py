"""How many messages text takes: speakers say a hundred tokens a second, and few messages a second hold them all."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.runs.model import EventPack, IndexedEvent
from agentos_lambda.runs.turns import Turns
from agentos_lambda.websocket.delivery.feed import LiveFeed
from tests.runs.scripted_engine import ScriptedEngine, ScriptedRun
from tests.stores.builders import ending
from tests.waiting import until_async
from tests.websocket.world import SteppedPool, World, slow

INTERVAL_MS = 200
MOST_A_SECOND = 6


def piece(speaker, content, **fields):
    return {"event": "RunContent", "run_id": speaker, "content": content, **fields}


STEP = {"event": "StepStarted", "run_id": "the-workflow"}


@dataclass
class Calls:
    """What is to be called later, by the world's clock."""

    clock: object
    waiting: list = field(default_factory=list)

    def later(self, seconds, call):
        timer = Timer(self.clock.time + round(seconds * 1000), call)
        self.waiting.append(timer)
        return timer

    def due(self):
        for timer in [each for each in self.waiting if each.at <= self.clock.time]:
            self.waiting.remove(timer)
            if not timer.cancelled:
                timer.call()


@dataclass(eq=False)
class Timer:
    at: int
    call: object
    cancelled: bool = False

    def cancel(self):
        self.cancelled = True


class Talk:
    """A run whose speakers talk while time goes on, millisecond by millisecond, and one connection that follows it."""

    def __init__(self, world, *, interval_ms=INTERVAL_MS):
        self.world = world
        self.clock = world.clock
        world.connect()
        run_id = world.start()
        self.record = world.store.claim(run_id, executor="e", lease_until=2**60, expired_before=0)
        self.pool = SteppedPool()
        self.feed = LiveFeed(
            self.record, world.feeds(self.pool, text_interval_ms=interval_ms), holds_lease=lambda: True
        )
        self.feed.refresh()
        self.calls = Calls(self.clock)
        self.turns = Turns(self._say, self.clock, interval_ms, call_later=self.calls.later)
        self.log = []
        self.posted_at = []
        world.posts.before = lambda *_: self.posted_at.append(self.clock.time)
        self.began = self.clock.time

    def _say(self, event):
        self.log.append(IndexedEvent(len(self.log), event))
        self.feed.publish(self.log[-1])
        self.pool.steps()

    def pass_ms(self, milliseconds):
        for _ in range(milliseconds):
            self.clock.advance(1)
            self.calls.due()
            self.feed.release_text()
            self.pool.steps()

    def talk(self, *speakers, tokens, every_ms=10):
        """The speakers' pieces come in turn, each speaker's at this pace."""
        for token in range(tokens):
            for speaker in speakers:
                self.turns.add(piece(speaker, f"{speaker}{token} "))
            self.pass_ms(every_ms)

    def end(self):
        self.turns.release()
        events = [*(each.event for each in self.log), {"event": "WorkflowCompleted", "run_id": "the-workflow"}]
        pack = EventPack(0, tuple(events))
        self.feed.end(
            self.world.store.commit(
                ending(
                    self.record,
                    token="the-end",
                    last_events=pack,
                    sealed_at=pack.last_index,
                    status=RunStatus.COMPLETED,
                )
            )
        )

    def frames(self):
        """Time since the beginning and message, of each that was posted."""
        return list(zip((at - self.began for at in self.posted_at), self.world.posts.got(), strict=True))

    def texts(self):
        """What each speaker has said, as the client has it."""
        return told(self.world.posts.got())


def told(messages):
    texts = {}
    for message in messages:
        if message["event"] == "RunContent":
            texts[message["run_id"]] = texts.get(message["run_id"], "") + message["content"]
    return texts


def most_within(times, *, window=1000):
    return max((sum(start <= each < start + window for each in times) for start in times), default=0)


@pytest.fixture
def talk(world):
    return Talk(world)


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_each_speaker_takes_few_messages_a_second(talk, count):
    speakers = [f"s-{place}-" for place in range(count)]
    talk.talk(*speakers, tokens=300)
    talk.end()
    for speaker in speakers:
        times = [at for at, message in talk.frames() if message.get("run_id") == speaker]
        assert most_within(times) <= MOST_A_SECOND
    assert talk.texts() == {speaker: "".join(f"{speaker}{token} " for token in range(300)) for speaker in speakers}
    indexes = talk.world.posts.indexes()
    assert indexes == sorted(set(indexes))
    assert indexes[-1] == len(talk.log)


def test_two_thousand_tokens_of_twenty_seconds_take_about_a_hundred_messages(talk):
    talk.talk("s", tokens=2000)
    talk.end()
    assert len(talk.frames()) <= 2000 * 10 // INTERVAL_MS + 3
    assert talk.texts() == {"s": "".join(f"s{token} " for token in range(2000))}


@pytest.mark.parametrize("count", [1, 3])
def test_the_first_text_of_each_speaker_does_not_wait(talk, count):
    speakers = [f"s-{place}" for place in range(count)]
    for speaker in speakers:
        talk.turns.add(piece(speaker, "first"))
    assert talk.texts() == dict.fromkeys(speakers, "first")
    assert {at for at, _ in talk.frames()} == {0}


def test_the_first_text_does_not_wait_when_another_has_just_talked(talk):
    talk.talk("a", tokens=5)
    talk.turns.add(piece("b", "first"))
    assert talk.texts() == {"a": "a0 a1 a2 a3 a4 ", "b": "first"}


@pytest.mark.parametrize(
    "other",
    [
        STEP,
        piece("a", {"an": "object"}),
        piece("a", None, response_audio={"content": "UklGRg=="}),
        {"event": "ToolCallStarted", "run_id": "a"},
    ],
)
def test_anything_else_goes_out_at_once_with_the_text_before_it(talk, other):
    talk.turns.add(piece("a", "1"))
    talk.turns.add(piece("b", "1"))
    for token in "23":
        talk.turns.add(piece("a", token))
        talk.turns.add(piece("b", token))
    talk.turns.add(other)
    assert talk.world.posts.got()[-1]["event"] == other["event"]
    assert talk.world.posts.indexes()[-1] == 6
    assert {at for at, _ in talk.frames()} == {0}
    merged = [message["content"] for message in talk.world.posts.got() if isinstance(message.get("content"), str)]
    assert merged == ["1", "1", "23", "23"]


def test_text_that_nothing_follows_waits_no_longer_than_the_interval(talk):
    for speaker in "abab":
        talk.turns.add(piece(speaker, "x"))
    talk.pass_ms(INTERVAL_MS)
    assert talk.texts() == {"a": "xx", "b": "xx"}


def test_the_last_text_does_not_wait(talk):
    for speaker in "abab":
        talk.turns.add(piece(speaker, "x"))
    talk.end()
    assert talk.texts() == {"a": "xx", "b": "xx"}
    assert {at for at, _ in talk.frames()} == {0}


def test_text_after_a_pause_does_not_wait(talk):
    talk.turns.add(piece("a", "1"))
    talk.pass_ms(INTERVAL_MS)
    talk.turns.add(piece("a", "2"))
    assert talk.texts() == {"a": "12"}


def test_a_client_that_comes_back_after_any_message_has_everything_once(talk):
    talk.talk("a", "b", "c", tokens=60, every_ms=7)
    talk.turns.add(STEP)
    talk.talk("c", "a", tokens=30, every_ms=11)
    talk.end()
    messages = talk.world.posts.got()
    whole = told(messages)
    for place, message in enumerate(messages):
        rest = [{**each.event, "event_index": each.index} for each in talk.log if each.index > message["event_index"]]
        assert told([*messages[: place + 1], *rest]) == whole


def test_a_slow_connection_loses_nothing_and_a_doubtful_message_is_posted_unchanged(talk):
    tries = []
    count = talk.world.posts.before

    def note(connection_id, text):
        count(connection_id, text)
        tries.append(text)

    talk.world.posts.before = note
    for token in range(100):
        if token in (20, 60):
            talk.world.posts.fails["c-1"] = slow(2)
        talk.talk("a", "b", tokens=1)
        if token % 20 == 0:
            talk.feed.refresh()
            talk.pool.steps()
        if token in (30, 70):
            talk.pass_ms(8000)
            talk.feed.refresh()
            talk.pool.steps()
    talk.end()
    assert {text for text in tries if tries.count(text) > 1}
    assert len(set(tries)) == len(talk.world.posts.got())
    assert {speaker: text.count(" ") for speaker, text in talk.texts().items()} == {"a": 100, "b": 100}


def test_without_an_interval_each_token_is_a_message(world):
    talk = Talk(world, interval_ms=0)
    talk.talk("a", "b", tokens=50)
    talk.end()
    assert len(talk.frames()) == 101


def test_a_late_follower_gets_what_there_is_at_once(talk):
    talk.talk("a", tokens=5)
    talk.world.connect("c-2")
    talk.world.reconnect(talk.record.run_id, "c-2")
    talk.feed.refresh()
    talk.pool.steps()
    assert told(talk.world.posts.got("c-2")[1:]) == {"a": "a0 a1 a2 a3 a4 "}


class TalkingRun(ScriptedRun):
    """Speakers talk at the same time, in real time."""

    speakers = ("a", "b")
    pieces = 100
    pause = 0.01

    async def events(self):
        for token in range(self.pieces):
            for speaker in self.speakers:
                yield piece(speaker, f"{speaker}{token} ")
            await asyncio.sleep(self.pause)
        yield {"event": "WorkflowCompleted", "run_id": self.request.run_id}


class TalkingEngine(ScriptedEngine):
    def start(self, request):
        self.runs.append(TalkingRun(request))
        return self.runs[-1]


@pytest.fixture
def real():
    world = World(clock=SystemClock(), engine=TalkingEngine())
    yield world
    world.pool.shutdown()


@pytest.mark.anyio
async def test_over_threads_each_speaker_takes_few_messages_a_second(real):
    real.connect()
    real.start()
    began = time.monotonic()
    await real.work()
    windows = math.ceil((time.monotonic() - began) * 1000 / INTERVAL_MS)
    for speaker in "ab":
        messages = [message for message in real.posts.got() if message.get("run_id") == speaker]
        assert len(messages) <= windows + 2
    assert told(real.posts.got()) == {
        speaker: "".join(f"{speaker}{token} " for token in range(100)) for speaker in "ab"
    }
    indexes = real.posts.indexes()
    assert indexes == sorted(set(indexes))


@pytest.mark.anyio
async def test_over_threads_first_and_last_text_do_not_wait(real):
    a_day = 86_400_000
    real.connect()
    run_id = real.start()
    record = real.store.claim(run_id, executor="e", lease_until=2**60, expired_before=0)
    feed = LiveFeed(record, real.feeds(real.pool, text_interval_ms=a_day), holds_lease=lambda: True)
    feed.start()
    await until_async(lambda: real.followers.of_run(run_id)[0].attempt == 1)
    await until_async(lambda: feed._cursors)
    feed.publish(IndexedEvent(0, piece("a", "1")))
    await until_async(lambda: told(real.posts.got()) == {"a": "1"})
    for index, token in enumerate("23", start=1):
        feed.publish(IndexedEvent(index, piece("a", token)))
    pack = EventPack(0, tuple(piece("a", token) for token in "123"))
    real_end = ending(record, token="t", last_events=pack, sealed_at=2, status=RunStatus.COMPLETED)
    feed.end(real.store.commit(real_end))
    assert told(real.posts.got()) == {"a": "123"}


@pytest.mark.anyio
async def test_over_threads_text_that_nothing_follows_is_sent(real):
    real.connect()
    run_id = real.start()
    record = real.store.claim(run_id, executor="e", lease_until=2**60, expired_before=0)
    feed = real.fan_out.begin(record, holds_lease=lambda: True)
    await until_async(lambda: feed._cursors)
    said = ""
    for index, token in enumerate("123"):
        said += token
        feed.publish(IndexedEvent(index, piece("a", token)))
        await until_async(lambda so_far=said: told(real.posts.got()) == {"a": so_far})
    feed.end(record)
