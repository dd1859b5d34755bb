"""The HTML of the pages. They load nothing from elsewhere: a reader types the key into them."""

from __future__ import annotations

from html import escape

from agentos_lambda.api.pages.files import page_file

HEADERS = {
    # Both viewers write styles into the page, and ReDoc searches in a worker that it makes itself.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
"""Of both pages. They name their scripts by version, so that those can be kept for a year."""


def swagger_page(root: str, title: str) -> str:
    """Swagger UI of the document under the prefix ``root``."""
    style = f'<link rel="stylesheet" href="{_url(root, "swagger-ui.css")}">'
    document = f'data-document="{escape(root)}/openapi.json"'
    return _page(
        title,
        style,
        f"""<div id="swagger-ui"></div>
<script src="{_url(root, "swagger-ui-bundle.js")}"></script>
<script src="{_url(root, "show.js")}" {document}></script>""",
    )


def redoc_page(root: str, title: str) -> str:
    """ReDoc of the document under the prefix ``root``."""
    return _page(
        title,
        "<style>body { margin: 0; }</style>",
        f"""<redoc spec-url="{escape(root)}/openapi.json"></redoc>
<script src="{_url(root, "redoc.standalone.js")}"></script>""",
    )


def _url(root: str, name: str) -> str:
    return f"{escape(root)}/docs/{name}?v={page_file(name).version}"


def _page(title: str, head: str, body: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
{head}
</head>
<body>
{body}
</body>
</html>
"""
