"""Multipart bodies, read strictly."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser


class StrictMultipart(MultiPartParser):
    """Refuses two things that Starlette's parser lets pass: text that is not in the charset of the body (Starlette
    reads it as Latin-1), and a body that ends before its last boundary (Starlette drops what was cut off).

    ``parse`` raises ``MultiPartException``.
    """

    _whole = False

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
