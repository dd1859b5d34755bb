"""The clients of AWS of a function's process."""

from __future__ import annotations

from functools import cache

from agentos_lambda.aws.settings import Settings
from agentos_lambda.stores.clients import Clients


@cache
def own_clients() -> Clients:
    """All of them, with one session of boto3: it reads most of what a client is made from only once.

    boto3 is imported when the first one is used.
    """
    return Clients()


def prepared_clients() -> Clients:
    """The same for a function none of whose requests does without store and key.

    boto3 is imported here, while the function starts: Lambda gives more of a processor then than later.
    """
    return own_clients().prepare("dynamodb", "secretsmanager")


def deployed_clients(settings: Settings) -> Clients:
    """The same where the function is deployed. On this machine all start at once, and a start is not faster."""
    return prepared_clients() if settings.stack is not None else own_clients()
