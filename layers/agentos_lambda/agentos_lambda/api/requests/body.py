"""A request's body as fields and files, whichever of the three content types it has."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException

from agentos_lambda.api.errors import ApiError
from agentos_lambda.api.requests.encodings import unpacked
from agentos_lambda.api.requests.file_types import MAX_FILES
from agentos_lambda.api.requests.multipart import StrictMultipart
from agentos_lambda.protocol.strict_json import TooDeep, parse_json
from agentos_lambda.protocol.values import Json

MAX_TEXT = 1024 * 1024
"""Bytes of one text field."""

_REPLACED = "\ufffd"
"""A gateway that takes a form for text replaces bytes that are not UTF-8 by this. A form that means it has it
percent-encoded."""

_MAX_FIELDS = 1000


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file as it was sent."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """Fields by name (text, or any JSON value of a JSON body), and uploaded files in their order."""

    fields: Mapping[str, Json]
    files: Sequence[Upload] = ()
    is_form: bool = False
    """Whether every value is text, because a form has nothing else."""


async def read_body(request: Request) -> Body:
    """Parse the body. Raises ``ApiError``: 400 for what cannot be parsed, 413 for a text of over 1 MiB, 415 for an
    encoding that is not known."""
    raw = unpacked(await request.body(), request.headers.get("content-encoding", ""))
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "multipart/form-data":
        return await _multipart(request.headers, raw)
    raw = raw.removeprefix(BOM_UTF8)
    if content_type == "application/x-www-form-urlencoded":
        return _urlencoded(raw)
    if content_type == "application/json" or content_type.endswith("+json") or raw.lstrip().startswith(b"{"):
        return _json(raw)
    if raw:
        raise ApiError(400, "The body has to be a form or a JSON object")
    return Body({})


async def _multipart(headers: Headers, raw: bytes) -> Body:
    async def stream() -> AsyncGenerator[bytes]:
        yield raw

    parser = StrictMultipart(headers, stream(), max_files=MAX_FILES, max_fields=_MAX_FIELDS, max_part_size=MAX_TEXT)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        status = 413 if "maximum size" in error.message else 400
        raise ApiError(status, error.message) from error
    try:
        items = form.multi_items()
        fields = {name: value for name, value in items if isinstance(value, str)}
        files = [await _upload(value) for _, value in items if isinstance(value, UploadFile) and not _unchosen(value)]
    finally:
        await form.close()
    return Body(fields, files, is_form=True)


def _unchosen(file: UploadFile) -> bool:
    """Whether a browser's file input was left empty: HTML then sends a part without name and content."""
    return not file.filename and not file.size


async def _upload(file: UploadFile) -> Upload:
    return Upload(file.filename or "unnamed", file.content_type or "", await file.read())


def _urlencoded(raw: bytes) -> Body:
    try:
        text = raw.decode()
        if _REPLACED in text:
            raise ApiError(400, "The body is not valid UTF-8")
        if text.startswith("{"):
            raise ApiError(400, "The body is JSON, but its Content-Type says that it is a form: send application/json")
        pairs = parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=_MAX_FIELDS)
    except UnicodeDecodeError as error:
        raise ApiError(400, "The body is not valid UTF-8") from error
    except ValueError as error:
        raise ApiError(400, "The form has too many fields") from error
    fields = dict(pairs)
    _check_sizes(fields)
    return Body(fields, is_form=True)


def _json(raw: bytes) -> Body:
    if not raw:
        return Body({})
    try:
        value = parse_json(raw.decode())
    except UnicodeError as error:
        raise ApiError(400, "The body is not valid UTF-8") from error
    except TooDeep as error:
        raise ApiError(400, f"The body is {error}") from error
    except ValueError as error:
        raise ApiError(400, "The body is not valid JSON") from error
    if not isinstance(value, dict):
        raise ApiError(400, "The body has to be a JSON object")
    _check_sizes(value)
    return Body(value)


def _check_sizes(fields: Mapping[str, Json]) -> None:
    for name, value in fields.items():
        if isinstance(value, str) and len(value.encode()) > MAX_TEXT:
            raise ApiError(413, f"{name}: field exceeded maximum size of {MAX_TEXT // 1024}KB.")
