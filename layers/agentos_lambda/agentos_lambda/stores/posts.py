"""Messages to WebSocket connections, by API Gateway's management API."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

from agentos_lambda.websocket.ports import Gone, Refused, Slow

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_GONE, _TOO_MANY, _SERVER_ERROR = 410, 429, 500
_CONNECTIONS = 32
"""To the management API, kept open."""


class ManagementApiPosts:
    """Implements ``websocket.ports.Posts``.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
    """

    def __init__(self, endpoint: str, *, client: Callable[[str], Any] | None = None) -> None:
        """``endpoint`` is the URL above ``/@connections``. ``client`` makes the client at the first post."""
        self._endpoint = endpoint
        self._make_client = client or _client
        self._client: Any = None
        self._lock = Lock()

    def post(self, connection_id: str, text: str) -> None:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - takes long to import

        with self._lock:
            self._client = self._client or self._make_client(self._endpoint)
        try:
            self._client.post_to_connection(ConnectionId=connection_id, Data=text.encode(errors="replace"))
        except ClientError as error:
            raise _failure(error) from error
        except BotoCoreError as error:
            raise Slow("the management API does not answer") from error


def management_endpoint(api_url: str, cloud_url: str | None) -> str:
    """The management API of a WebSocket API: beside the API itself, or in the local cloud that ``cloud_url`` names.

    ``api_url`` is ``https://ID.execute-api.REGION.amazonaws.com/STAGE``; a URL of any other host is taken as it is.
    """
    host, _, stage = api_url.removeprefix("https://").partition("/")
    api_id, _, service = host.partition(".")
    if cloud_url is None or not service.startswith("execute-api."):
        return api_url
    return f"{cloud_url.rstrip('/')}/_aws/execute-api/{api_id}/{stage}"


def _failure(error: ClientError) -> Gone | Refused | Slow:
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    if status == _GONE:
        return Gone("the connection is gone")
    if status == _TOO_MANY or status >= _SERVER_ERROR:
        return Slow(f"the management API answers {status}")
    return Refused(f"the management API answers {status}")


def _client(endpoint: str) -> Any:
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    # Nothing is tried again here: who posts knows what may be posted twice.
    config = Config(
        connect_timeout=2,
        read_timeout=5,
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=_CONNECTIONS,
    )
    return boto3.client("apigatewaymanagementapi", endpoint_url=endpoint, config=config)
