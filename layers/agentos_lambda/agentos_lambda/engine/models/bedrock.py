"""agno's Bedrock model over the boto3 client that the runtime has: no aioboto3 in the bundle.

agno makes an asynchronous client by aioboto3. Here its class makes one of threads instead, wherever a model comes from:
``default_model()``, a component, or code that runs within a run.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

from agentos_lambda.engine.models.bedrock_client import ExplainingBedrock, ThreadedBedrock

_READ_TIMEOUT_SECONDS = 300
"""A whole answer arrives after the model has written all of it, which takes minutes for a long one. boto3 by default
waits for one minute and then asks again, up to four times: each try is billed, and none is waited for."""

_CONNECTIONS = 50
"""Kept open by a client: one serves all models of a process, and the members of a team ask at the same time."""

_making = threading.Lock()


def use_boto3(bedrock: Any) -> None:
    """Have agno's class ``AwsBedrock`` make its clients here."""
    by_aioboto3: Callable[[Any], Any] = bedrock.get_async_client

    def get_client(self: Any) -> Any:
        return ExplainingBedrock(_client_of(self))

    def get_async_client(self: Any) -> Any:
        if self.async_session is not None:
            return by_aioboto3(self)
        return ThreadedBedrock(lambda: _client_of(self))

    bedrock.get_client, bedrock.get_async_client = get_client, get_async_client


def _client_of(model: Any) -> Any:
    """A boto3 client: of what the model brings, otherwise the one of its region. Blocks; may be called in any thread.

    One of a session is made for each call, as agno does it: somebody may renew the session's credentials.
    """
    if model.session:
        return _made(model.session.client, model.aws_region or model.session.region_name)
    if model.client is not None:
        return model.client
    region = model.aws_region or os.environ.get("AWS_REGION")  # boto3 itself reads AWS_DEFAULT_REGION only
    if model.aws_access_key_id or model.aws_secret_access_key:
        model.client = _made(
            _session().client,
            region,
            aws_access_key_id=model.aws_access_key_id,
            aws_secret_access_key=model.aws_secret_access_key,
            aws_session_token=model.aws_session_token,
        )
        return model.client
    return _client_of_region(region)


_clients: dict[str | None, Any] = {}


def _client_of_region(region: str | None) -> Any:
    """The one client of this process for the region, by the environment's credentials.

    Not made by ``stores.clients``: a components file makes its models itself, so nobody can hand a client in.
    """
    with _making:
        if region not in _clients:
            _clients[region] = _made(_session().client, region)
        return _clients[region]


def _session() -> Any:
    """A session of its own, because boto3's default one is not for several threads."""
    from boto3.session import Session  # noqa: PLC0415 - takes long

    return Session()


def _made(make: Callable[..., Any], region: str | None, **credentials: Any) -> Any:
    from botocore.config import Config  # noqa: PLC0415

    config = Config(read_timeout=_READ_TIMEOUT_SECONDS, max_pool_connections=_CONNECTIONS)
    return make("bedrock-runtime", region_name=region, config=config, **credentials)
