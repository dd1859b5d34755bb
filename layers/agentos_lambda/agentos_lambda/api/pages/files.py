"""The files of the pages, gzipped: ``python -m agentos_lambda.api.pages.files FOLDER`` writes them at build time.

Without a build, a file is compressed when it is first asked for.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MEDIA_TYPES = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "redoc.standalone.js": "text/javascript; charset=utf-8",
    "show.js": "text/javascript; charset=utf-8",
}
"""Every file of the API's documents by its name."""

CHAT_TYPES = {
    "chat.js": "text/javascript; charset=utf-8",
    "chat-style.css": "text/css; charset=utf-8",
    "licences.txt": "text/plain; charset=utf-8",
}
"""Every file of the page to talk to components, which ``make page`` writes into a folder beside this module."""

_HERE = Path(__file__).parent
_BUILT = _HERE / "built"
_CHAT = _HERE / "chat"
_TYPES = MEDIA_TYPES | CHAT_TYPES
_VERSION_LETTERS = 16


class NotBuilt(LookupError):
    """Nobody has built the page that this file belongs to."""


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of a page."""

    media_type: str
    compressed: bytes
    version: str
    """Changes with the content."""


@cache
def page_file(name: str) -> PageFile:
    """The file of this name in ``MEDIA_TYPES`` or ``CHAT_TYPES``. Raises ``NotBuilt``."""
    built = _BUILT / f"{name}.gz"
    compressed = built.read_bytes() if built.is_file() else _compress(name)
    return PageFile(_TYPES[name], compressed, hashlib.sha256(compressed).hexdigest()[:_VERSION_LETTERS])


def build(folder: Path) -> None:
    """Write the compressed files into a new folder: that named ``built`` in this package as it is deployed."""
    folder.mkdir()
    for name in _TYPES:
        (folder / f"{name}.gz").write_bytes(_compress(name))


def _compress(name: str) -> bytes:
    # Without a time stamp equal contents are equal bytes, so a version lasts from build to build.
    return gzip.compress(_source(name).read_bytes(), mtime=0)


def _source(name: str) -> Path:
    """Our own file, or one of the package ``fastapi_offline``, which is looked up and not imported."""
    if name in CHAT_TYPES:
        if not (made := _CHAT / name).is_file():
            raise NotBuilt("The page is not built: `make page` builds it")
        return made
    if (own := _HERE / name).is_file():
        return own
    spec = importlib.util.find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        raise RuntimeError("fastapi_offline, a requirement of the web layer, is not installed")
    return Path(spec.origin).with_name("static") / name


if __name__ == "__main__":
    build(Path(sys.argv[1]))
