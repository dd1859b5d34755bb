"""The WebSocket over memory stores, with connections that a test can slow down or end."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from agentos_lambda.aws.handlers.websocket import WebSocketHandler
from agentos_lambda.identity.accounts.known import KnownAccounts
from agentos_lambda.identity.authority import Authority, Tokens
from agentos_lambda.protocol.security_key import KeySource
from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.catalog import Component
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.execution_context import ExecutionContext
from agentos_lambda.runs.executor import RunExecutor
from agentos_lambda.runs.intake import RunIntake
from agentos_lambda.runs.limiter import Limiter
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.service import RunService
from agentos_lambda.runs.slices import Slicing
from agentos_lambda.runs.sweeper import Sweeper
from agentos_lambda.runs.worker import Worker
from agentos_lambda.stores.memory import MemoryAccounts, MemoryConnections, MemoryFollowers, MemoryQueue, MemoryStore
from agentos_lambda.websocket.actions import Actions
from agentos_lambda.websocket.admission import Admission, OverdueConnections
from agentos_lambda.websocket.context import ActionContext
from agentos_lambda.websocket.delivery.fan_out import WebSocketFanOut
from agentos_lambda.websocket.delivery.feed import FeedContext, LiveFeed
from agentos_lambda.websocket.delivery.final import FinalDelivery
from agentos_lambda.websocket.delivery.registry import FollowerRegistry
from agentos_lambda.websocket.delivery.sender import Sender
from agentos_lambda.websocket.greeting import Greeter
from agentos_lambda.websocket.ports import Gone, Slow
from tests.clocks import ManualClock
from tests.runs.scripted_engine import ScriptedEngine
from tests.runs.world import OneOfEach, at_once

EVENTS = Path(__file__).parents[2] / "events"
WORKFLOW = Component(Kind.WORKFLOW, "story-workflow", "Story-Workflow", 3, {}, {}, {})


class InlinePool(Executor):
    """Executes each task at once."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class SteppedPool(Executor):
    """Executes a task when the test says so."""

    def __init__(self) -> None:
        self.waiting: deque[Callable[[], Any]] = deque()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.waiting.append(lambda: fn(*args, **kwargs))
        return Future()

    def step(self) -> None:
        self.waiting.popleft()()

    def steps(self) -> None:
        while self.waiting:
            self.step()


@dataclass
class RecordedPosts:
    """Every message that arrived, by connection."""

    messages: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    gone: set[str] = field(default_factory=set)
    fails: dict[str, list[Exception]] = field(default_factory=lambda: defaultdict(list))
    closed: list[str] = field(default_factory=list)
    before: Callable[[str, str], None] = lambda _connection_id, _text: None

    def close(self, connection_id: str) -> None:
        if connection_id in self.gone:
            raise Gone("the connection is gone")
        if self.fails[connection_id]:
            raise self.fails[connection_id].pop(0)
        self.gone.add(connection_id)
        self.closed.append(connection_id)

    def post(self, connection_id: str, text: str) -> None:
        self.before(connection_id, text)
        if connection_id in self.gone:
            raise Gone("the connection is gone")
        if self.fails[connection_id]:
            raise self.fails[connection_id].pop(0)
        self.messages[connection_id].append(text)

    def got(self, connection_id: str = "c-1") -> list[dict[str, Any]]:
        """The messages of a connection, parsed as a client does, whichever of the two forms they have."""
        return [parsed(text) for text in self.messages[connection_id]]

    def names(self, connection_id: str = "c-1") -> list[str]:
        return [message["event"] for message in self.got(connection_id)]

    def indexes(self, connection_id: str = "c-1") -> list[int]:
        return [message["event_index"] for message in self.got(connection_id) if "event_index" in message]


def parsed(text: str) -> dict[str, Any]:
    if text.startswith("event: "):
        head, data = text.removesuffix("\n\n").split("\n")
        assert head == f"event: {json.loads(data.removeprefix('data: '))['event']}"
        text = data.removeprefix("data: ")
    message: dict[str, Any] = json.loads(text)
    return message


def slow(times: int = 1) -> list[Exception]:
    return [Slow("429")] * times


@dataclass
class World:
    """One deployment: a websocket function, workers and a sweeper, over one set of stores."""

    key: str | None = None
    key_unreadable: bool = False
    tokens: Tokens | None = None
    """Where tokens are configured: what verifies them."""
    catalog: Any = field(default_factory=OneOfEach)
    queue_limit: int | None = None
    source_limit: int | None = None
    meanwhile: Callable[[], None] = lambda: None
    """What happens elsewhere while a handler sleeps."""
    clock: ManualClock = field(default_factory=ManualClock)
    engine: ScriptedEngine = field(default_factory=ScriptedEngine)
    posts: RecordedPosts = field(default_factory=RecordedPosts)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    greetings: MemoryQueue = field(default_factory=MemoryQueue)
    connections: MemoryConnections = field(default_factory=MemoryConnections)
    followers: MemoryFollowers = field(default_factory=MemoryFollowers)

    def __post_init__(self) -> None:
        self.store = MemoryStore(clock=self.clock)
        self.new_id = map("id-{}".format, count(1)).__next__
        self.pauses: list[float] = []
        self.accounts = MemoryAccounts()
        self.registry = FollowerRegistry(
            self.followers, self.connections, self.clock, new_id=self.new_id, accounts=self.known_accounts()
        )
        self.sender = Sender(self.posts, self._sleep)
        self.final = FinalDelivery(self.registry, self.store, self.sender, InlinePool())
        self.pool = ThreadPoolExecutor(4)
        self.fan_out = WebSocketFanOut(self.feeds(self.pool))
        context = ExecutionContext(
            self.store,
            lambda: self.engine,
            self.clock,
            limiter=Limiter(self.clock),
            fan_out=self.fan_out,
            pause=at_once,
            queue=self.queue,
            slicing=Slicing(),
        )
        self.executor = RunExecutor(context)
        self.intake = RunIntake(
            self.store,
            self.queue,
            self.executor,
            self.clock,
            engine=lambda: self.engine,
            new_id=self.new_id,
            queue_limit=self.queue_limit,
        )
        self.runs = RunService(self.store, self.clock, new_id=self.new_id)
        self.worker = Worker(
            self.store, self.executor, OneOfEach(), self.clock, new_id=self.new_id, fan_out=self.fan_out, pause=at_once
        )
        self.sweeper = Sweeper(self.store, self.queue, OneOfEach(), self.clock, new_id=self.new_id)
        self.handler = self.environment(self._key)

    def environment(self, key: KeySource) -> WebSocketHandler:
        """The websocket function in one of its environments, which reads the key like this."""
        authority = Authority(
            key,
            self.clock,
            tokens=self.tokens,
            accounts=self.known_accounts(),
            takes_key=False,
            isolates_users=True,
        )
        greeter = Greeter(self.connections, self.sender, authority, self.clock, sleep=self._sleep)
        context = ActionContext(
            self.catalog,
            self.store,
            self.runs,
            self.intake,
            self.registry,
            self.sender,
            self.final,
            authority,
            self.new_id,
        )
        admission = Admission(self.connections, self.posts, authority, self.clock, limit=self.source_limit)
        return WebSocketHandler(
            Actions(context, greeter, admission),
            greeter=greeter,
            greetings=self.greetings,
            admission=admission,
            registry=self.registry,
            sender=self.sender,
        )

    def known_accounts(self) -> KnownAccounts:
        """Those of one environment, which has read none yet."""
        return KnownAccounts(self.accounts.find, self.clock)

    def _key(self) -> str | None:
        if self.key_unreadable:
            raise StoreUnavailable("the security key cannot be read")
        return self.key

    def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.advance(int(seconds * 1000))
        self.meanwhile()

    def connect(self, connection_id: str = "c-1") -> None:
        """An open connection whose greeting is not among its messages."""
        assert self.event("CONNECT", connection_id) == {"statusCode": 200}
        self.greet()
        self.posts.messages[connection_id].clear()

    def greet(self) -> None:
        """Deliver every greeting that waits."""
        while self.greetings.waiting:
            assert self.handler({"greet": self.greetings.waiting.popleft()}, None) == {"statusCode": 200}

    def event(
        self, event_type: str, connection_id: str, body: str | None = None, *, address: str = "203.0.113.7"
    ) -> dict[str, Any]:
        context = {"eventType": event_type, "connectionId": connection_id, "identity": {"sourceIp": address}}
        return self.handler({"requestContext": context, "body": body}, None)

    def send(self, message: Any, connection_id: str = "c-1") -> None:
        """What a client sends: text as it is, anything else as JSON."""
        text = message if isinstance(message, str) else json.dumps(message)
        assert self.event("MESSAGE", connection_id, text) == {"statusCode": 200}

    def start(self, connection_id: str = "c-1", **fields: Any) -> str:
        """Start a run, which waits for a worker. Gives its id."""
        self.send({"action": "start-workflow", "workflow_id": WORKFLOW.id, "message": "hi", **fields}, connection_id)
        return self.queue.waiting[-1]

    def reconnect(self, run_id: str, connection_id: str = "c-1", **fields: Any) -> None:
        self.send({"action": "reconnect", "run_id": run_id, **fields}, connection_id)

    async def work(self) -> Any:
        """What a worker does with the next message."""
        return await self.worker.work(self.queue.waiting.popleft(), deadline=None)

    async def work_a_slice(self) -> Any:
        """What a worker does with the next message, if its time is over before the run has ended."""
        self.engine.script["hold"] = True
        before = len(self.engine.runs)
        working = asyncio.create_task(self.work())
        while len(self.engine.runs) == before:
            await asyncio.to_thread(lambda: None)
        await self.engine.runs[-1].reached_hold.wait()
        self.engine.runs[-1].hand_over()
        self.engine.script["hold"] = False
        return await working

    def live(self, record: RunRecord, pool: Executor, holds_lease: Callable[[], bool] = lambda: True) -> LiveFeed:
        """An executor's feed, without threads."""
        return LiveFeed(record, self.feeds(pool), holds_lease=holds_lease)

    def feeds(self, pool: Executor, *, clock: Clock | None = None, text_interval_ms: int = 200) -> FeedContext:
        """What feeds work with that post in this pool."""
        clock = clock or self.clock
        return FeedContext(self.registry, self.store, self.posts, self.final, clock, pool, text_interval_ms)

    def sweep_connections(self) -> int:
        """What the sweeper does with connections. Gives how many it has closed."""
        return OverdueConnections(self.connections, self.posts, self.clock, self.pool).close(until=2**60)

    def is_clean(self, connection_id: str = "c-1") -> bool:
        """No run has a follower, and the connection follows none."""
        connection = self.connections.get(connection_id)
        return not self.followers.all() and (connection is None or not connection.run_ids)
