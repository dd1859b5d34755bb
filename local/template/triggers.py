"""What invokes a function besides the API: the queues and schedules among its ``Events``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from local.settings import MAX_ENVIRONMENTS, InvalidTemplate
from local.template.queue_names import queue_arn

_SCHEDULES = frozenset({"Schedule", "ScheduleV2"})
_DEFAULT_BATCH = 10


@dataclass(frozen=True, slots=True)
class QueueTrigger:
    """A function that is invoked with the messages of a queue."""

    function: str
    queue: str
    """The queue's name."""
    batch: int
    """How many messages one event has at most."""
    at_once: int
    """How many invocations run at the same time at most."""


@dataclass(frozen=True, slots=True)
class ScheduleTrigger:
    """A function that is invoked on a schedule."""

    function: str


Events = Mapping[str, Mapping[str, Any]]
"""Function -> its ``Events``, resolved."""


def queue_triggers(events: Events, queues: Collection[str]) -> tuple[QueueTrigger, ...]:
    """The events of type SQS. Raises ``InvalidTemplate`` if the template does not have their queue."""
    by_arn = {queue_arn(queue): queue for queue in queues}
    triggers = []
    for function, properties in _of_type(events, {"SQS"}):
        queue = by_arn.get(properties.get("Queue", ""))
        if queue is None:
            raise InvalidTemplate(f"{function}: {properties.get('Queue')} is no queue of the template")
        at_once = properties.get("ScalingConfig", {}).get("MaximumConcurrency", MAX_ENVIRONMENTS)
        batch = int(properties.get("BatchSize", _DEFAULT_BATCH))
        triggers.append(QueueTrigger(function, queue, batch, min(int(at_once), MAX_ENVIRONMENTS)))
    return tuple(triggers)


def schedule_triggers(events: Events) -> tuple[ScheduleTrigger, ...]:
    """The events of type Schedule and ScheduleV2."""
    return tuple(ScheduleTrigger(function) for function, _ in _of_type(events, _SCHEDULES))


def _of_type(events: Events, types: Collection[str]) -> list[tuple[str, Mapping[str, Any]]]:
    return [
        (function, event.get("Properties", {}))
        for function, its_events in events.items()
        for event in its_events.values()
        if event["Type"] in types
    ]
