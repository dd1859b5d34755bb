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
"""Every file by its name."""

_HERE = Path(__file__).parent
_BUILT = _HERE / "built"
_VERSION_LETTERS = 16


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of a page."""

    media_type: str
    compressed: bytes
    version: str
    """Changes with the content."""


@cache
def page_file(name: str) -> PageFile:
    """The file of this name in ``MEDIA_TYPES``."""
    built = _BUILT / f"{name}.gz"
    compressed = built.read_bytes() if built.is_file() else _compress(name)
    return PageFile(MEDIA_TYPES[name], compressed, hashlib.sha256(compressed).hexdigest()[:_VERSION_LETTERS])


def build(folder: Path) -> None:
    """Write the compressed files into a new folder: that named ``built`` in this package as it is deployed."""
    folder.mkdir()
    for name in MEDIA_TYPES:
        (folder / f"{name}.gz").write_bytes(_compress(name))


def _compress(name: str) -> bytes:
    # Without a time stamp equal contents are equal bytes, so a version lasts from build to build.
    return gzip.compress(_source(name).read_bytes(), mtime=0)


def _source(name: str) -> Path:
    """Our own file, or one of the package ``fastapi_offline``, which is looked up and not imported."""
    if (own := _HERE / name).is_file():
        return own
    spec = importlib.util.find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        raise RuntimeError("fastapi_offline, a requirement of the web layer, is not installed")
    return Path(spec.origin).with_name("static") / name


if __name__ == "__main__":
    build(Path(sys.argv[1]))
