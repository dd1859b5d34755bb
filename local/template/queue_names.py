"""What references to a queue of the template stand for."""

from __future__ import annotations

from collections.abc import Iterable

from local.account import ACCOUNT_ID, REGION, arn


def queue_names(queues: Iterable[str]) -> dict[str, str]:
    """References to these queues -> what they give: ``Queue`` its URL, ``Queue.Arn`` and ``Queue.QueueName``."""
    names = {}
    for queue in queues:
        names[queue] = queue_url(queue)
        names[f"{queue}.Arn"] = queue_arn(queue)
        names[f"{queue}.QueueName"] = queue
    return names


def queue_url(queue: str) -> str:
    """The URL of the queue with this name. It is that of AWS: an SDK sends to its own endpoint, the URL only names."""
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT_ID}/{queue}"


def queue_arn(queue: str) -> str:
    """The ARN of the queue with this name."""
    return arn("sqs", queue)
