"""Files of a request: uploads, and the media objects of its JSON fields. All are read, or the request is refused."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agentos_lambda.api.errors import ApiError, FieldErrors
from agentos_lambda.api.requests.body import Upload
from agentos_lambda.api.requests.file_types import FileType, file_type, is_misnamed
from agentos_lambda.api.requests.media_details import media_details
from agentos_lambda.media.addresses import UrlRefused, check_host, parse, private_hosts_allowed
from agentos_lambda.protocol.strict_json import parse_json
from agentos_lambda.protocol.values import JsonObject
from agentos_lambda.runs.model import Media

_KINDS = {"images": "image", "audio": "audio", "videos": "video", "input_files": "file"}

_MAX_METADATA = 8000
"""Bytes of ``files_metadata`` (the AgentOS 3.1 API)."""

MAX_RESOLVING_SECONDS = 10.0
"""For all hosts of a request: names that nobody answers for would hold a function before any limit counts its run."""


def read_uploads(files: Sequence[Upload], files_metadata: str | None) -> tuple[Media, ...]:
    """The uploaded files, byte for byte, in their order.

    Raises ``ApiError``: 400 for a file of an unsupported type, or an empty one; ``FieldErrors`` for the metadata.
    """
    described = _metadata(files_metadata, len(files))
    return tuple(_media(upload, metadata) for upload, metadata in zip(files, described, strict=True))


def _media(upload: Upload, metadata: JsonObject | None) -> Media:
    found = _supported(upload.content_type, upload.filename)
    if not upload.content:
        raise ApiError(400, f"Empty file: {upload.filename}")
    return Media(found.kind, upload.content, None, found.mime_type, upload.filename, metadata=metadata)


def _supported(content_type: str | None, filename: str) -> FileType:
    found = file_type(content_type, filename)
    detail = f"Unsupported file type: {filename} ({content_type or 'no type'})"
    if found is not None and is_misnamed(found, filename):
        found, detail = None, f"{detail}: the name is that of another kind of file"
    if found is None:
        raise ApiError(400, detail, error_code="UNSUPPORTED_FILE_TYPE")
    return found


def media_objects(**fields: Sequence[Mapping[str, Any]] | None) -> tuple[Media, ...]:
    """The media objects of a request's JSON fields: inline content (base64; a ``text/*`` file as it is) or a URL.

    Paths and references into a storage are refused: a request must not name what only the server may read.
    """
    return tuple(_media_object(_KINDS[field], place, item) for field, place, item in _placed(fields))


async def refuse_internal_hosts(**fields: Sequence[Mapping[str, Any]] | None) -> None:
    """Raise ``FieldErrors`` for a media object whose URL leads to a host that is not public, and for the first one for
    which there is no time left."""
    now = asyncio.get_running_loop().time
    until = now() + MAX_RESOLVING_SECONDS
    for _, place, item in _placed(fields):
        if isinstance(url := item.get("url"), str):
            if now() >= until:
                raise FieldErrors([(f"{place}.url", "the hosts before it take too long to be resolved")])
            try:
                await check_host(url, private=private_hosts_allowed())
            except UrlRefused as refused:
                raise FieldErrors([(f"{place}.url", str(refused))]) from refused


def _placed(
    fields: Mapping[str, Sequence[Mapping[str, Any]] | None],
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Each media object with its field's name, and with its place in the request for an error's text."""
    for field, items in fields.items():
        for place, item in enumerate(items or ()):
            yield field, f"{field}.{place}", item


def _check_url(place: str, url: str) -> None:
    try:
        parse(url)
    except UrlRefused as refused:
        raise FieldErrors([(place, str(refused))]) from refused


def _media_object(kind: str, place: str, item: Mapping[str, Any]) -> Media:
    content, url = item.get("content"), item.get("url")
    if isinstance(content, str) == isinstance(url, str):
        raise FieldErrors([(place, "expected either content or url, as text")])
    if isinstance(url, str):
        _check_url(f"{place}.url", url)
    texts: dict[str, str | None] = {}
    for name in ("mime_type", "filename", "id"):
        value = item.get(name)
        if value is not None and not isinstance(value, str):
            raise FieldErrors([(f"{place}.{name}", "expected text")])
        texts[name] = value or None
    _check_type(kind, place, texts)
    metadata = item.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        raise FieldErrors([(f"{place}.metadata", "expected an object")])
    decoded = None
    if isinstance(content, str):
        decoded = _decoded(content, kind, place, texts["mime_type"])
        if not decoded:
            raise FieldErrors([(f"{place}.content", "is empty")])
    details = media_details(kind, place, item)
    return Media(kind=kind, content=decoded, url=url, metadata=metadata, details=details, **texts)


def _check_type(kind: str, place: str, texts: dict[str, str | None]) -> None:
    """A type that is given has to be one of the field's kind; it is put under the name that the engine takes."""
    if texts["mime_type"] is None:
        return
    found = _supported(texts["mime_type"], texts["filename"] or texts["id"] or place)
    if found.kind != kind:
        raise FieldErrors([(f"{place}.mime_type", f"{texts['mime_type']} is no type of {kind}")])
    texts["mime_type"] = found.mime_type


def _decoded(content: str, kind: str, place: str, mime_type: str | None) -> bytes:
    """The bytes. As agno's clients write it, a text file's content is the text itself, and so may be that of a file
    whose type is not told; everything else is base64."""
    if kind == "file" and (mime_type or "").startswith("text/"):
        return content.encode()
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        if kind == "file" and mime_type is None:
            return content.encode()
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
