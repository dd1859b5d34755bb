"""Python imports this before anything else in a process of the stack that runs components.

The process takes their sources from the file that ``LOCAL_SOURCES`` names, which holds them as they were when they were
found to be good. So a process imports the same sources at its start and an hour later, whatever was edited meanwhile.
"""

import json
import os
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType


def _pin(sources: dict[str, str]) -> None:
    """Import these: real path -> bytes of the file, as latin-1."""
    from_disk = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, fullname: str) -> CodeType | None:
        path = os.fspath(loader.get_filename(fullname))
        source = sources.get(os.path.realpath(path))
        if source is None:
            return from_disk(loader, fullname)
        code: CodeType = compile(source.encode("latin-1"), path, "exec", dont_inherit=True)
        return code

    SourceFileLoader.get_code = get_code  # type: ignore[assignment,method-assign]


if _file := os.environ.get("LOCAL_SOURCES"):
    _pin(json.loads(Path(_file).read_text(encoding="ascii")))
