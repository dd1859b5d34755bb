"""Multipart bodies, read strictly."""

from __future__ import annotations

from collections.abc import Iterable
from email.message import Message
from typing import Any

from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser


class StrictMultipart(MultiPartParser):
    """Refuses two things that Starlette's parser lets pass: text that is not in the charset of the body (Starlette
    reads it as Latin-1), and a body that ends before its last boundary (Starlette drops what was cut off).

    Reads names in the form ``filename*=UTF-8''na%C3%AFve.txt`` (RFC 5987), which Starlette skips: a file that has no
    other name would be a text field.

    ``parse`` raises ``MultiPartException``.
    """

    _whole = False

    def on_headers_finished(self) -> None:
        part = self._current_part
        given = _extended_names(part.content_disposition or b"")
        for key in given:  # so that the parser takes the part for what it is
            part.content_disposition = (part.content_disposition or b"") + f'; {key}=""'.encode()
        super().on_headers_finished()
        if "name" in given:
            part.field_name = given["name"]
        if "filename" in given and part.file is not None:
            part.file.filename = given["filename"]

    def on_part_end(self) -> None:
        part = self._current_part
        if part.file is None:
            try:
                part.data.decode(self._charset)
            except UnicodeDecodeError as error:
                raise MultiPartException(f"{part.field_name}: the text is not valid {self._charset.upper()}") from error
        super().on_part_end()

    def on_end(self) -> None:
        self._whole = True

    async def parse(self) -> FormData:
        form = await super().parse()
        if not self._whole:
            for file in self._files_to_close_on_error:
                file.close()
            raise MultiPartException("The multipart body ends before its last boundary.")
        return form


def _extended_names(disposition: bytes) -> dict[str, str]:
    """``name`` and ``filename`` where they are given as ``name*`` and ``filename*``. Raises ``MultiPartException``."""
    if b"*" not in disposition:
        return {}
    header = Message()
    header["content-disposition"] = disposition.decode("latin-1")
    parameters: Iterable[tuple[str, Any]] = header.get_params([], header="content-disposition")
    given: dict[str, str] = {}
    for key, value in parameters:
        if key in ("name", "filename") and isinstance(value, tuple):
            charset, _language, text = value
            try:
                given[key] = text.encode("latin-1").decode(charset or "ascii")  # it has one character for each byte
            except (LookupError, UnicodeDecodeError) as error:
                raise MultiPartException(f"{key}*: the text is not valid {charset or 'ASCII'}") from error
    return given
