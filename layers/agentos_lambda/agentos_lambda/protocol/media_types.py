"""Media types that come from callers, on their way into a header (the AgentOS 3.1 API)."""

from __future__ import annotations

import re

ACTIVE_TYPES = frozenset(
    {
        "application/javascript",
        "application/x-javascript",
        "application/xhtml+xml",
        "application/xml",
        "image/svg+xml",
        "text/html",
        "text/javascript",
        "text/xml",
    }
)
"""Types that a browser would execute with the rights of the API's origin."""

_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105 - of RFC 9110
_MEDIA_TYPE = re.compile(f"{_TOKEN}/{_TOKEN}")


def is_media_type(text: str) -> bool:
    """Whether the text is a type and a subtype, and nothing else (RFC 9110, 8.3.1)."""
    return _MEDIA_TYPE.fullmatch(text) is not None
