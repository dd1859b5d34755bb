"""What references to a queue of the template stand for."""

from __future__ import annotations

from collections.abc import Iterable

_ACCOUNT = "000000000000"
_REGION = "us-east-1"


def queue_names(queues: Iterable[str]) -> dict[str, str]:
    """References to these queues -> what they give: ``Queue`` its URL, ``Queue.Arn`` and ``Queue.QueueName``.

    The URL is that of AWS: an SDK sends to its own endpoint, and only names the queue by its URL.
    """
    names = {}
    for queue in queues:
        names[queue] = queue_url(queue)
        names[f"{queue}.Arn"] = queue_arn(queue)
        names[f"{queue}.QueueName"] = queue
    return names


def queue_url(queue: str) -> str:
    """The URL of the queue with this name."""
    return f"https://sqs.{_REGION}.amazonaws.com/{_ACCOUNT}/{queue}"


def queue_arn(queue: str) -> str:
    """The ARN of the queue with this name."""
    return f"arn:aws:sqs:{_REGION}:{_ACCOUNT}:{queue}"
