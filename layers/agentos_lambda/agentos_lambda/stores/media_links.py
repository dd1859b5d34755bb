"""Media in the bucket, for those who fetch them by a URL."""

from __future__ import annotations

import hashlib

from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb.blobs import media_folder
from agentos_lambda.stores.dynamodb.requests import Requests

LINK_SECONDS = 300
"""How long a URL is valid."""


class S3MediaLinks:
    """Implements ``sessions.ports.MediaLinks``."""

    def __init__(self, bucket: str, clients: Clients | None = None) -> None:
        """Without ``clients``, they are made from the environment."""
        self._bucket = bucket
        self._requests = Requests(clients)

    def link(self, session_id: str, content: bytes, media_type: str) -> str:
        # Named by its content: the same medium is the same object, however often it is asked for.
        key = f"{media_folder(session_id)}{hashlib.sha256(content).hexdigest()}"
        self._requests.send(
            lambda clients: clients.s3.put_object(
                Bucket=self._bucket, Key=key, Body=content, ContentType=media_type, ContentDisposition="attachment"
            )
        )
        place = {"Bucket": self._bucket, "Key": key}
        return self._requests.send(
            lambda clients: clients.s3.generate_presigned_url("get_object", Params=place, ExpiresIn=LINK_SECONDS)
        )
