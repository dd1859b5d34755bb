"""Compressed bodies of requests (RFC 9110, Content-Encoding)."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from agentos_lambda.api.errors import ApiError

MAX_UNPACKED = 6 * 1024 * 1024
"""Bytes: a compressed request may bring as much as one that is not compressed, and no more."""

_MAX_ENCODINGS = 3

_GZIP, _ZLIB, _RAW = 31, 15, -15
"""Window sizes by which zlib knows the format."""


def unpacked(body: bytes, encodings: str) -> bytes:
    """The body without its encodings, in which it was encoded in this order (a header's value).

    Raises ``ApiError``: 415 for an encoding other than gzip and deflate, 400 for a body that is not in it, 413 for one
    that is too large.
    """
    names = [name for name in (part.strip().lower() for part in encodings.split(",")) if name not in ("", "identity")]
    unknown = [name for name in names if name not in _DECODERS]
    if unknown or len(names) > _MAX_ENCODINGS:
        raise ApiError(415, f"Unsupported Content-Encoding: {', '.join(unknown or names)}. Send gzip or deflate")
    for name in reversed(names):
        try:
            body = _DECODERS[name](body) if body else body
        except zlib.error as error:
            raise ApiError(400, f"The body is not valid {name}") from error
    return body


def _gunzipped(body: bytes) -> bytes:
    """Of one gzip member, or several that follow each other (RFC 1952)."""
    unpacked, rest = bytearray(), body
    while rest:
        member = zlib.decompressobj(_GZIP)
        unpacked += _within(member, rest, MAX_UNPACKED - len(unpacked))
        rest = member.unused_data
    return bytes(unpacked)


def _inflated(body: bytes) -> bytes:
    """As the standard has it, and without zlib's header, as some clients send it."""
    for window in (_ZLIB, _RAW):
        decoder = zlib.decompressobj(window)
        with suppress(zlib.error):
            unpacked = _within(decoder, body, MAX_UNPACKED)
            if not decoder.unused_data:
                return unpacked
    raise zlib.error("neither of the two")


def _within(decoder: Any, body: bytes, limit: int) -> bytes:
    unpacked: bytes = decoder.decompress(body, limit + 1)
    if len(unpacked) > limit:
        raise ApiError(413, f"The body has more than {MAX_UNPACKED // 1024 // 1024} MB when it is unpacked")
    if not decoder.eof:
        raise zlib.error("cut off")
    return unpacked


_DECODERS: dict[str, Callable[[bytes], bytes]] = {"gzip": _gunzipped, "x-gzip": _gunzipped, "deflate": _inflated}
