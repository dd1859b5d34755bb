"""The head of a streamed answer, as the Lambda Runtime API takes it.

A JSON object (``statusCode``, ``headers``, ``multiValueHeaders``, ``cookies``) and 8 NUL bytes, which API Gateway wants
to find within the first 16 KB. After them the body follows as it is.
https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

DELIMITER = b"\0" * 8
MAX_PRELUDE_BYTES = 16 * 1024
"""The most that the JSON object and the delimiter may take together."""

HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade"})
"""Headers of an answer that belong to a connection: they are not passed on."""

compact_json = json.JSONEncoder(separators=(",", ":")).encode
"""JSON without white space: an encoder that is made once."""

RawHeaders = Sequence[tuple[bytes, bytes]]
"""Headers as ASGI gives them: Latin-1, repeated ones apart."""


class PreludeTooLarge(Exception):
    """The headers of an answer do not fit into 16 KB."""


@dataclass(frozen=True, slots=True)
class Prelude:
    """Status and headers of an answer."""

    status: int
    headers: RawHeaders = ()

    def metadata(self) -> bytes:
        """The JSON object. Raises ``PreludeTooLarge`` if it and the delimiter exceed 16 KB."""
        single: dict[str, str] = {}
        repeated: dict[str, list[str]] = {}
        cookies: list[str] = []
        for raw_name, raw_value in self.headers:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            if name == "set-cookie":
                cookies.append(value)
            elif name in repeated:
                repeated[name].append(value)
            elif name in single:
                repeated[name] = [single.pop(name), value]
            elif name not in HOP_BY_HOP:
                single[name] = value
        fields = {"statusCode": self.status, "headers": single, "multiValueHeaders": repeated, "cookies": cookies}
        metadata = compact_json(fields).encode()
        if len(metadata) + len(DELIMITER) > MAX_PRELUDE_BYTES:
            raise PreludeTooLarge(f"the headers of the answer take {len(metadata)} bytes, over {MAX_PRELUDE_BYTES}")
        return metadata
