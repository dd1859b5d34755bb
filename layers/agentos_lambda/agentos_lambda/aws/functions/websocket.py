"""The WebSocket's function, and the fan-out of the functions that execute runs.

Neither imports a web framework.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from agentos_lambda.aws.functions.accounts import known_accounts
from agentos_lambda.aws.functions.authority import authority_of
from agentos_lambda.aws.functions.clients import deployed_clients, own_clients
from agentos_lambda.aws.functions.engines import judging_engine
from agentos_lambda.aws.functions.intake import intake_of
from agentos_lambda.aws.functions.start import begin, catalog
from agentos_lambda.aws.functions.wiring import limiter_of, new_id, queue_of, store_of
from agentos_lambda.aws.handlers.websocket import WebSocketHandler
from agentos_lambda.aws.metrics import observer_of
from agentos_lambda.aws.settings import Settings
from agentos_lambda.identity.accounts.known import KnownAccounts
from agentos_lambda.runs.clock import Clock, SystemClock
from agentos_lambda.runs.execution_context import ExecutionContext
from agentos_lambda.runs.executor import RunExecutor
from agentos_lambda.runs.fan_out import FanOut
from agentos_lambda.runs.ports import Store
from agentos_lambda.runs.service import RunService
from agentos_lambda.stores.dynamodb.connections import DynamoDBConnections
from agentos_lambda.stores.dynamodb.followers import DynamoDBFollowers
from agentos_lambda.stores.dynamodb.requests import Requests
from agentos_lambda.stores.dynamodb.table import Table
from agentos_lambda.stores.invocations import AsynchronousInvocations
from agentos_lambda.stores.posts import ManagementApiPosts, management_endpoint
from agentos_lambda.websocket.actions import Actions
from agentos_lambda.websocket.admission import Admission, OverdueConnections
from agentos_lambda.websocket.context import ActionContext
from agentos_lambda.websocket.delivery.fan_out import WebSocketFanOut
from agentos_lambda.websocket.delivery.feed import FeedContext
from agentos_lambda.websocket.delivery.final import FinalDelivery
from agentos_lambda.websocket.delivery.registry import FollowerRegistry
from agentos_lambda.websocket.delivery.sender import Sender
from agentos_lambda.websocket.greeting import Greeter
from agentos_lambda.websocket.ports import Posts

_POSTERS = 8
"""Messages that one process posts at the same time, each to another connection."""


def websocket_handler() -> WebSocketHandler:
    """The function behind the WebSocket API."""
    settings, clock = Settings.from_environment(), SystemClock()
    begin(settings, clock)
    clients = deployed_clients(settings)
    accounts, limiter = known_accounts(settings, clients), limiter_of(settings, clients)
    store, queue = store_of(settings, clients), queue_of(settings, clients)
    authority = authority_of(settings, clients, accounts)
    registry, posts = _registry(settings, clock, accounts), _posts(settings)
    sender = Sender(posts)
    executor = RunExecutor(ExecutionContext(store, judging_engine, clock, limiter=limiter))
    context = ActionContext(
        catalog=catalog(),
        store=store,
        runs=RunService(store, clock, new_id=new_id, observer=observer_of(settings.stack, clock), limiter=limiter),
        intake=intake_of(settings, store, queue, executor, clock, engine=judging_engine, limiter=limiter),
        registry=registry,
        sender=sender,
        final=FinalDelivery(registry, store, sender, _pool()),
        authority=authority,
        new_id=new_id,
    )
    greeter = Greeter(registry.connections, sender, authority, clock)
    admission = Admission(registry.connections, posts, authority, clock, limit=settings.websocket_source_limit)
    return WebSocketHandler(
        Actions(context, greeter, admission),
        greeter=greeter,
        greetings=AsynchronousInvocations(settings.function, clients=clients),
        admission=admission,
        registry=registry,
        sender=sender,
    )


def fan_out(settings: Settings, store: Store, clock: Clock, accounts: KnownAccounts | None = None) -> FanOut | None:
    """What sends runs to their followers; None in a stack without a WebSocket.

    ``accounts``: where another part of the function asks for them, too.
    """
    if settings.websocket_management_url is None:
        return None
    accounts = accounts or known_accounts(settings, own_clients())
    registry, posts, pool = _registry(settings, clock, accounts), _posts(settings), _pool()
    final = FinalDelivery(registry, store, Sender(posts), pool)
    context = FeedContext(
        registry, store, posts, final, clock=clock, pool=pool, text_interval_ms=settings.websocket_text_interval_ms
    )
    return WebSocketFanOut(context)


def overdue_connections(settings: Settings, clock: Clock) -> OverdueConnections | None:
    """What closes connections that have not authenticated; None in a stack without a WebSocket."""
    if settings.websocket_management_url is None:
        return None
    return OverdueConnections(_connections(settings), _posts(settings), clock, _pool())


def _registry(settings: Settings, clock: Clock, accounts: KnownAccounts | None) -> FollowerRegistry:
    requests = Requests(own_clients())
    followers = DynamoDBFollowers(Table(settings.runs_table, requests))
    return FollowerRegistry(followers, _connections(settings, requests), clock, new_id=new_id, accounts=accounts)


def _connections(settings: Settings, requests: Requests | None = None) -> DynamoDBConnections:
    return DynamoDBConnections(Table(settings.connections_table, requests or Requests(own_clients())))


def _posts(settings: Settings) -> Posts:
    url = settings.websocket_management_url or ""
    return ManagementApiPosts(management_endpoint(url, os.environ.get("AWS_ENDPOINT_URL")), clients=own_clients())


def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_POSTERS, thread_name_prefix="posts")
