"""Functions that are invoked by functions, without waiting for them."""

from __future__ import annotations

import json

from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.retries import RequestFailed, Retries


class AsynchronousInvocations:
    """Implements ``websocket.ports.Greetings``: the function is invoked with ``{"greet": connection_id}``.

    Lambda repeats an invocation that fails twice, after a minute and after two more.
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    """

    def __init__(self, function: str, *, clients: Clients | None = None, retries: Retries | None = None) -> None:
        """``function`` is its name. Without ``clients``, they are made from the environment."""
        self._function = function
        self._clients = clients or Clients()
        self._retries = retries or Retries()

    def send(self, connection_id: str) -> None:
        payload = json.dumps({"greet": connection_id}).encode()
        invoke = self._clients.functions.invoke
        try:
            self._retries.send(lambda: invoke(FunctionName=self._function, InvocationType="Event", Payload=payload))
        except RequestFailed as failed:
            raise StoreUnavailable("The function cannot be invoked.") from failed.error
