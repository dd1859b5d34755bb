"""Files of a request: uploads, and the media objects of its JSON fields. All are read, or the request is refused."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from agentos_lambda.api.body import Upload, parse_json
from agentos_lambda.api.errors import ApiError, FieldErrors
from agentos_lambda.api.file_types import file_type
from agentos_lambda.runs.model import JsonObject, Media

_MAX_METADATA = 8000
"""Bytes of ``files_metadata`` (the AgentOS 3.1 API)."""


def read_uploads(files: Sequence[Upload], files_metadata: str | None) -> tuple[Media, ...]:
    """The uploaded files, byte for byte, in their order.

    Raises ``ApiError``: 400 for a file of an unsupported type, or an empty one; ``FieldErrors`` for the metadata.
    """
    described = _metadata(files_metadata, len(files))
    return tuple(_media(upload, metadata) for upload, metadata in zip(files, described, strict=True))


def _media(upload: Upload, metadata: JsonObject | None) -> Media:
    found = file_type(upload.content_type, upload.filename)
    if found is None:
        detail = f"Unsupported file type: {upload.filename} ({upload.content_type or 'no type'})"
        raise ApiError(400, detail, error_code="UNSUPPORTED_FILE_TYPE")
    if not upload.content:
        raise ApiError(400, f"Empty file: {upload.filename}")
    return Media(found.kind, upload.content, None, found.mime_type, upload.filename, metadata=metadata)


def media_objects(**fields: Sequence[Mapping[str, Any]] | None) -> tuple[Media, ...]:
    """The media objects of a request's JSON fields: inline content (base64; a ``text/*`` file as it is) or a URL.

    Paths and references into a storage are refused: a request must not name what only the server may read.
    """
    kinds = {"images": "image", "audio": "audio", "videos": "video", "input_files": "file"}
    return tuple(
        _media_object(kinds[field], f"{field}.{place}", item)
        for field, items in fields.items()
        for place, item in enumerate(items or ())
    )


def _media_object(kind: str, place: str, item: Mapping[str, Any]) -> Media:
    content, url = item.get("content"), item.get("url")
    if isinstance(content, str) == isinstance(url, str):
        raise FieldErrors([(place, "expected either content or url, as text")])
    texts: dict[str, str | None] = {}
    for name in ("mime_type", "filename", "id"):
        value = item.get(name)
        if value is not None and not isinstance(value, str):
            raise FieldErrors([(f"{place}.{name}", "expected text")])
        texts[name] = value
    is_text = kind == "file" and (texts["mime_type"] or "").startswith("text/")
    decoded = None
    if isinstance(content, str):
        decoded = content.encode() if is_text else _from_base64(content, place)
        if not decoded:
            raise FieldErrors([(f"{place}.content", "is empty")])
    metadata = item.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        raise FieldErrors([(f"{place}.metadata", "expected an object")])
    return Media(kind=kind, content=decoded, url=url, metadata=metadata, **texts)


def _from_base64(text: str, place: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FieldErrors([(f"{place}.content", "expected base64")]) from error


def _metadata(text: str | None, count: int) -> Sequence[JsonObject | None]:
    if not text:
        return [None] * count
    if len(text.encode()) > _MAX_METADATA:
        raise FieldErrors([("files_metadata", f"over {_MAX_METADATA} bytes")])
    try:
        items = parse_json(text)
    except ValueError as error:
        raise FieldErrors([("files_metadata", "expected valid JSON")]) from error
    if not isinstance(items, list) or not all(item is None or isinstance(item, dict) for item in items):
        raise FieldErrors([("files_metadata", "expected an array of objects")])
    if len(items) > count:
        raise FieldErrors([("files_metadata", "has more entries than there are files")])
    return items + [None] * (count - len(items))
