"""The HTML of the page to talk to components, and what it may do. Its script does the rest."""

from __future__ import annotations

from html import escape

from agentos_lambda.api.pages.files import page_file
from agentos_lambda.api.requests.file_types import EXTENSIONS, MAX_FILES

MAX_UPLOAD_BYTES = 4_500_000
"""Of all files of a request: it has to fit into 6 MB as base64 (Lambda's limit)."""

HEADERS = {
    # It asks nobody but the API. Only DOMPurify makes HTML of what a model says: Trusted Types see to it.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; "
        "media-src blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types dompurify"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-cache",
}


def chat_page(root: str, title: str) -> str:
    """The page of the API under the prefix ``root``. Raises ``NotBuilt``."""
    accept = ",".join(f".{extension}" for extension in dict.fromkeys(EXTENSIONS))
    return f"""<!DOCTYPE html>
<html lang="en" data-root="{escape(root)}" data-title="{escape(title)}"
 data-accept="{accept}" data-max-bytes="{MAX_UPLOAD_BYTES}" data-max-files="{MAX_FILES}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{_url(root, "chat-style.css")}">
<script type="module" src="{_url(root, "chat.js")}"></script>
</head>
<body>
<noscript>This page needs JavaScript. The API does not: <a href="{escape(root)}/docs">its documentation</a>.</noscript>
</body>
</html>
"""


def _url(root: str, name: str) -> str:
    return f"{escape(root)}/chat/{name}?v={page_file(name).version}"
