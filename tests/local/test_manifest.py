"""What is printed when the manifest of the components is made."""

import asyncio
import sys
from pathlib import Path

import pytest

from local.components.manifest import build_manifest
from local.settings import Settings

TOY = Path(__file__).with_name("toy_manifest.py")


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("database.py", "[components] The agent 'toy' runs on the bundle's own database\n"),
        ("none.py", ""),
    ],
)
def test_a_database_that_is_not_used_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, printed: str
) -> None:
    settings = Settings(port=0, components=tmp_path / name, state=tmp_path, build_manifest=(sys.executable, str(TOY)))

    asyncio.run(build_manifest(settings))

    assert capsys.readouterr().err == printed
