"""The one factory of AWS clients, with their timeouts."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from agentos_lambda import __version__
from agentos_lambda.lighter_imports import without_collections
from agentos_lambda.stores.dynamodb_json import send_as_it_is

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_apigatewaymanagementapi.client import ApiGatewayManagementApiClient
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sqs.client import SQSClient

CONNECT_SECONDS = 2
READ_SECONDS = 3
"""Together they limit a single try of a request. Large objects in S3 take longest."""
POST_READ_SECONDS = 5
"""Longer, because a post that times out is posted again, and the client may then see it twice."""
_CONNECTIONS = 32
"""Of a client, that are kept open."""
_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    # Only ``Table`` and its neighbours make these requests, so their parameters are of the right types. botocore would
    # look up every value in its model of the service to see that, a third of what a request takes.
    "dynamodb": {"parameter_validation": False},
    # For links. They are to name the bucket's region: the global name may redirect, which a signature does not survive.
    # And in us-east-1, boto3 signs them in a way that S3 refuses for buckets made since 2020.
    "s3": {"signature_version": "s3v4", "s3": {"addressing_style": "virtual"}},
    "apigatewaymanagementapi": {"read_timeout": POST_READ_SECONDS},
}
"""Of each service's clients, beside those of all."""


class Clients:
    """Makes each client from the environment when it is first used. May be used from any thread.

    boto3 is imported then, too: that takes longer than everything else that a function needs to answer without a store.
    What never answers without one calls ``prepare`` while it starts.
    """

    def __init__(
        self,
        *,
        dynamodb: DynamoDBClient | None = None,
        s3: S3Client | None = None,
        sqs: SQSClient | None = None,
        secretsmanager: Any = None,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        """A client that is passed in is used as it is."""
        given = {"dynamodb": dynamodb, "s3": s3, "sqs": sqs, "secretsmanager": secretsmanager}
        self._clients: dict[tuple[str, str | None], Any] = {
            (service, None): client for service, client in given.items() if client is not None
        }
        self._read_seconds = read_seconds
        self._session: Session | None = None
        self._lock = Lock()

    @property
    def dynamodb(self) -> DynamoDBClient:
        client: DynamoDBClient = self._client("dynamodb")
        return client

    @property
    def s3(self) -> S3Client:
        client: S3Client = self._client("s3")
        return client

    @property
    def sqs(self) -> SQSClient:
        client: SQSClient = self._client("sqs")
        return client

    @property
    def secretsmanager(self) -> Any:
        return self._client("secretsmanager")

    @property
    def functions(self) -> Any:
        """Lambda."""
        return self._client("lambda")

    def management_api(self, endpoint: str) -> ApiGatewayManagementApiClient:
        """Posts to the connections of the WebSocket API that has this management URL."""
        client: ApiGatewayManagementApiClient = self._client("apigatewaymanagementapi", endpoint)
        return client

    def prepare(self, *services: str) -> Clients:
        """Import boto3 and make these clients now. Gives itself."""
        for service in services:
            self._client(service)
        return self

    def close(self) -> None:
        """Close the connections of all clients, including those that were passed in."""
        with self._lock:
            for client in self._clients.values():
                client.close()

    def _client(self, service: str, endpoint: str | None = None) -> Any:
        # Clients of boto3 are thread-safe, sessions are not: the session is used under the lock only. It is shared,
        # because it reads most of what a client is made from only once.
        with self._lock:
            if (service, endpoint) not in self._clients:
                self._clients[service, endpoint] = self._make(service, endpoint)
            return self._clients[service, endpoint]

    @without_collections()
    def _make(self, service: str, endpoint: str | None) -> Any:
        from boto3 import __version__ as boto3_version  # noqa: PLC0415 - slow
        from boto3.session import Session  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        if self._session is None:
            self._session = Session()
        config = Config(
            **{
                "connect_timeout": CONNECT_SECONDS,
                "read_timeout": self._read_seconds,
                "max_pool_connections": _CONNECTIONS,
                # Only ``retries`` sends a request again.
                "retries": {"mode": "standard", "total_max_attempts": 1},
                # botocore would make up its own name twice for each request.
                "user_agent": f"Boto3/{boto3_version} agentos-lambda/{__version__}",
                **_SETTINGS.get(service, {}),
            }
        )
        client = self._session.client(service, endpoint_url=endpoint, config=config)  # type: ignore[call-overload]
        if service == "dynamodb":
            send_as_it_is(client)
        return client
