"""What a stack takes of AWS in a month without requests, derived from its resources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from agentos_lambda.stores.dynamodb.items import DUE_SHARDS
from agentos_lambda.stores.dynamodb.session_items import SESSION_SHARDS
from tests.stack.alarms import alarms, watched

Stack = dict[str, dict[str, Any]]

MONTH_SECONDS = 30 * 86_400

POLLERS = 5
POLL_SECONDS = 20
"""Of an event source whose queue is empty.
https://aws.amazon.com/blogs/compute/understanding-how-aws-lambda-scales-when-subscribed-to-amazon-sqs-queues/"""
SWEEP_CPU_SECONDS = 0.06
"""17 queries, one after the other. Assumed, as is the time in which a sweep waits for them."""
SWEEP_WAITS_SECONDS = 0.1
START_CPU_SECONDS = 0.8
"""docs/performance.md."""
STARTS = 120
"""Lambda replaces an environment every few hours. Assumed."""
LOG_KB = 1
"""What Lambda and the sweeper write of an invocation. Assumed."""
FULL_CPU_MIB = 1769
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
HOURS = 720
KEY_CACHE_SECONDS = 300
"""How often DynamoDB asks for a table's key of KMS, if the table is in use.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html"""


class Taken(NamedTuple):
    """So much of what has the price ``of``, which is a name of docs/prices.toml."""

    of: str
    how_much: float


def idle_month(stack: Stack) -> list[Taken]:
    """Every row of the month, in the order of docs/costs.md. A kind that the stack does not have has no row."""
    rows = [*_secrets(stack), *_alarms(stack), *_polls(stack), *_schedules(stack), *_table_keys(stack)]
    return [row for row in rows if row.how_much]


def _secrets(stack: Stack) -> Iterator[Taken]:
    yield Taken("secrets", len(_of_type(stack, "AWS::SecretsManager::Secret")))


def _alarms(stack: Stack) -> Iterator[Taken]:
    yield Taken("metrics that alarms watch", sum(len(watched(alarm)) for alarm in alarms(stack).values()))


def _polls(stack: Stack) -> Iterator[Taken]:
    sources = _of_type(stack, "AWS::Lambda::EventSourceMapping")
    yield Taken("SQS requests", len(sources) * POLLERS * MONTH_SECONDS / POLL_SECONDS)


def _schedules(stack: Stack) -> Iterator[Taken]:
    for rule in _of_type(stack, "AWS::Events::Rule"):
        [target] = rule["Targets"]
        function = stack[target["Arn"].removesuffix(".Arn")]["Properties"]
        minutes = int(rule["ScheduleExpression"].removeprefix("rate(").partition(" ")[0])
        times = MONTH_SECONDS / 60 / minutes
        memory = function["MemorySize"] / 1024
        share = FULL_CPU_MIB / function["MemorySize"]
        yield Taken("Lambda requests", times)
        yield Taken("Lambda GB-seconds", times * _tenths(SWEEP_CPU_SECONDS * share + SWEEP_WAITS_SECONDS) * memory)
        yield Taken("Lambda GB-seconds", STARTS * _tenths(START_CPU_SECONDS * share) * memory)
        yield Taken("DynamoDB read units", times * (DUE_SHARDS + SESSION_SHARDS + 1) / 2)
        yield Taken("KB of logs", times * LOG_KB)
        yield Taken("traces", times if function["TracingConfig"]["Mode"] == "Active" else 0)
        yield Taken("metrics of our own", round(STARTS / HOURS, 2))


def _table_keys(stack: Stack) -> Iterator[Taken]:
    """The sweeper reads two tables; the others are not in use."""
    keyed = [table for table in _of_type(stack, "AWS::DynamoDB::Table") if "SSESpecification" in table]
    yield Taken("KMS requests", min(len(keyed), 2) * MONTH_SECONDS / KEY_CACHE_SECONDS)


def _tenths(seconds: float) -> float:
    """Rounded down: more digits would claim a precision that an assumption does not have."""
    return int(seconds * 10) / 10


def _of_type(stack: Stack, kind: str) -> list[dict[str, Any]]:
    return [each["Properties"] for each in stack.values() if each["Type"] == kind]
