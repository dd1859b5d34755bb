"""Values as attributes: gzipped JSON in the item, or in S3 where that is too large for it."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from agentos_lambda.protocol.ids import is_id
from agentos_lambda.protocol.values import Json
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.stores.dynamodb.requests import Requests
from agentos_lambda.stores.rules import json_text

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef

ITEM_LIMIT = 32 * 1024
"""Bytes, compressed, of a value that has an item to itself."""
FIELD_LIMIT = 4 * 1024
"""Bytes, compressed, of a value that shares its item with many."""
_SHORT = 512
"""Characters of a value whose compressed form is remembered."""
_REMEMBERED = 256
"""So many values."""

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

    def remove(self, prefix: str, *, before: str | None = None) -> None:
        """Delete all objects whose keys begin with this, or only those whose keys come before another."""
        start: dict[str, Any] = {}
        while True:
            page = self._page(prefix, start)
            keys = [found["Key"] for found in page.get("Contents", ())]
            chosen = [key for key in keys if before is None or key < before]
            if chosen:
                self.delete(chosen)
            if len(chosen) < len(keys) or not page.get("IsTruncated"):
                return
            start = {"ContinuationToken": page["NextContinuationToken"]}

    def _page(self, prefix: str, start: dict[str, Any]) -> ListObjectsV2OutputTypeDef:
        return self._requests.send(
            lambda clients: clients.s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix, **start)
        )

    def delete(self, keys: Sequence[str]) -> None:
        """Delete these objects, at most 1,000, those that there are."""
        wanted: Any = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        answer = self._requests.send(lambda clients: clients.s3.delete_objects(Bucket=self._bucket, Delete=wanted))
        if answer.get("Errors"):
            raise StoreUnavailable("The store did not delete everything.")

    def _fetch(self, key: str) -> bytes:
        # The body is read within the request, because the connection may break while it is read.
        return self._requests.send(lambda clients: clients.s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())


def packed(value: Json) -> bytes:
    """The value as gzipped JSON. Raises ``NotStorable`` if it is not JSON."""
    text = json_text(value)
    return _gzipped_before(text) if len(text) <= _SHORT else _gzipped(text)


def _gzipped(text: str) -> bytes:
    # Without a time stamp equal values are equal bytes, so repeating a write changes nothing.
    return gzip.compress(text.encode(), mtime=0)


_gzipped_before = lru_cache(_REMEMBERED)(_gzipped)
"""Most fields of a session say what its component is, or nothing: the same in each. zlib begins by clearing 256 KB."""


def run_folder(run_id: str, attempt: int) -> str:
    """The folder in the bucket for what an attempt leaves for good."""
    return f"runs/{run_id}/{attempt:06d}"


def events_folder(run_id: str, attempt: int) -> str:
    """The folder in the bucket for an attempt's event packs, and for what it has to do: apart, because nobody needs
    them after a time, and the bucket deletes them by their age."""
    return f"events/{run_id}/{attempt:06d}"


def run_prefixes(run_id: str) -> tuple[str, str]:
    """What the keys of everything begin with that a run has in the bucket."""
    return f"runs/{run_id}/", f"events/{run_id}/"


def session_prefix(session_id: str) -> str:
    """What the keys of a session's large fields begin with. The time at which they were written follows."""
    return f"sessions/{_segment(session_id)}/"


def session_folder(session_id: str, time: int, writer: str) -> str:
    """The folder in the bucket for the fields of a session that somebody writes who came at this time.

    Apart from the runs', because they outlive these, and sorted by time, because a deletion removes the earlier ones.
    """
    return f"{session_prefix(session_id)}{time:013d}/{writer}"


def media_folder(session_id: str) -> str:
    """What the keys of a session's media begin with."""
    return f"media/{_segment(session_id)}/"


def _segment(session_id: str) -> str:
    """The id as a part of a key. A key has 1,024 bytes, and S3 lists and deletes keys by XML, which not every character
    may stand in: an id that is longer or has others than a run's is a hash, behind a sign that no run's id has."""
    return session_id if is_id(session_id) else f"~{hashlib.sha256(session_id.encode()).hexdigest()}"
