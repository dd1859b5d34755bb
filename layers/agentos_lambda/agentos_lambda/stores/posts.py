"""Messages to WebSocket connections, by API Gateway's management API."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from agentos_lambda.stores.clients import Clients
from agentos_lambda.websocket.ports import Gone, Refused, Slow

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi.client import ApiGatewayManagementApiClient

_GONE, _TOO_MANY, _SERVER_ERROR = 410, 429, 500


class ManagementApiPosts:
    """Implements ``websocket.ports.Posts``.

    A post is sent once: only its caller knows whether the client may see it twice.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
    """

    def __init__(self, endpoint: str, *, clients: Clients | None = None) -> None:
        """``endpoint`` is the URL above ``/@connections``. Without ``clients``, they are made from the environment."""
        self._endpoint = endpoint
        self._clients = clients or Clients()

    def post(self, connection_id: str, text: str) -> None:
        data = text.encode(errors="replace")
        self._ask(lambda api: api.post_to_connection(ConnectionId=connection_id, Data=data))

    def close(self, connection_id: str) -> None:
        self._ask(lambda api: api.delete_connection(ConnectionId=connection_id))

    def _ask(self, request: Callable[[ApiGatewayManagementApiClient], object]) -> None:
        from agentos_lambda.stores.failures import ERRORS, status_of  # noqa: PLC0415 - imports botocore

        try:
            request(self._clients.management_api(self._endpoint))
        except ERRORS as error:
            raise _failure(status_of(error)) from error


def management_endpoint(api_url: str, cloud_url: str | None) -> str:
    """The management API of a WebSocket API: beside the API itself, or in the local cloud that ``cloud_url`` names.

    ``api_url`` is ``https://ID.execute-api.REGION.amazonaws.com/STAGE``; a URL of any other host is taken as it is.
    """
    host, _, stage = api_url.removeprefix("https://").partition("/")
    api_id, _, service = host.partition(".")
    if cloud_url is None or not service.startswith("execute-api."):
        return api_url
    return f"{cloud_url.rstrip('/')}/_aws/execute-api/{api_id}/{stage}"


def _failure(status: int | None) -> Gone | Refused | Slow:
    if status is None:
        return Slow("the management API does not answer")
    if status == _GONE:
        return Gone("the connection is gone")
    if status == _TOO_MANY or status >= _SERVER_ERROR:
        return Slow(f"the management API answers {status}")
    return Refused(f"the management API answers {status}")
