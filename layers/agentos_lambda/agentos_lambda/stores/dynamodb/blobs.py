"""Values as attributes: gzipped JSON in the item, or in S3 where that is too large for it."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from agentos_lambda.protocol.values import Json
from agentos_lambda.stores.dynamodb.requests import Requests
from agentos_lambda.stores.rules import json_text

ITEM_LIMIT = 32 * 1024
"""Bytes, compressed, of a value that has an item to itself."""
FIELD_LIMIT = 4 * 1024
"""Bytes, compressed, of a value that shares its item with many."""


_FETCHED_AT_ONCE = 8
"""A client of AWS keeps ten connections."""


class Blobs:
    """Writes values before the items that name them; an object in S3 never changes once it is named."""

    def __init__(self, bucket: str, requests: Requests) -> None:
        self._bucket = bucket
        self._requests = requests

    def attribute(self, value: Json, folder: str, *, limit: int = ITEM_LIMIT) -> dict[str, Any]:
        """The attribute that holds the value (binary), or names its object under ``folder`` in S3 (text)."""
        return self.stored(packed(value), folder, limit=limit)

    def stored(self, data: bytes, folder: str, *, limit: int = ITEM_LIMIT) -> dict[str, Any]:
        """The attribute of a value that has been ``packed``."""
        if len(data) <= limit:
            return {"B": data}
        key = f"{folder}/{hashlib.sha256(data).hexdigest()}.json.gz"
        self._requests.send(lambda clients: clients.s3.put_object(Bucket=self._bucket, Key=key, Body=data))
        return {"S": key}

    def value(self, attribute: Mapping[str, Any]) -> Json:
        """The value that ``attribute`` made this attribute of."""
        data = attribute["B"] if "B" in attribute else self._fetch(attribute["S"])
        return json.loads(gzip.decompress(data))

    def values(self, attributes: Sequence[Mapping[str, Any]]) -> list[Any]:
        """The values of several attributes; those in S3 are fetched a few at a time."""
        if sum("S" in attribute for attribute in attributes) < 2:  # noqa: PLR2004
            return [self.value(attribute) for attribute in attributes]
        with ThreadPoolExecutor(_FETCHED_AT_ONCE) as pool:
            return list(pool.map(self.value, attributes))

    def _fetch(self, key: str) -> bytes:
        # The body is read within the request, because the connection may break while it is read.
        return self._requests.send(lambda clients: clients.s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())


def packed(value: Json) -> bytes:
    """The value as gzipped JSON. Raises ``NotStorable`` if it is not JSON."""
    # Without a time stamp equal values are equal bytes, so repeating a write changes nothing.
    return gzip.compress(json_text(value).encode(), mtime=0)


def run_folder(run_id: str, attempt: int) -> str:
    """The folder in the bucket for what an attempt leaves for good."""
    return f"runs/{run_id}/{attempt:06d}"


def events_folder(run_id: str, attempt: int) -> str:
    """The folder in the bucket for an attempt's event packs: apart, because they may be deleted when they expire."""
    return f"events/{run_id}/{attempt:06d}"
