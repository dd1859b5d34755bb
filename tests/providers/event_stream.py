"""Messages of AWS's event stream encoding.

https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

_TEXT = 7
"""The type of a header's value: a text after its length."""


def frame(name: str, payload: dict[str, Any], kind: str = "event") -> bytes:
    """One message: prelude, checksum, headers, payload, checksum. ``kind`` is event or exception."""
    headers = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    head = b"".join(
        struct.pack(">B", len(key)) + key.encode() + struct.pack(">BH", _TEXT, len(value)) + value.encode()
        for key, value in headers.items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", len(head) + len(body) + 16, len(head))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + body
    return message + struct.pack(">I", zlib.crc32(message))
