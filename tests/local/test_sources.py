"""Which files are the components' sources, and when they have changed."""

import asyncio
import subprocess
import sys
from contextlib import aclosing

import pytest

from local.components.sources import SOURCES_VARIABLE, STARTUP, Sources, changes


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "components"
    (folder / "package").mkdir(parents=True)
    (folder / "components.py").write_text("import helper\n")
    (folder / "package" / "module.py").write_text("x = 1\n")
    return folder


def names(sources, folder):
    return {path.removeprefix(f"{folder}/") for path in sources.files}


def test_python_files_of_packages_are_sources_and_nothing_that_was_installed(folder):
    for path in (".hidden/a.py", "node_modules/a.py", "__pycache__/a.py", "env/lib/a.py", "package/notes.md"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    (folder / "env" / "pyvenv.cfg").touch()
    assert names(Sources.read(folder), folder) == {"components.py", "package/module.py"}


def test_each_kind_of_change_is_noticed_and_others_are_not(folder):
    (folder / "notes.txt").touch()

    async def steps():
        async with aclosing(changes(folder, Sources.read(folder))) as changed:

            async def after(change):
                noticed = asyncio.ensure_future(anext(changed))
                await asyncio.to_thread(change)
                async with asyncio.timeout(60):
                    return names(await noticed, folder)

            both = {"components.py", "package/module.py"}
            assert await after(lambda: (folder / "package" / "module.py").write_text("x = 2\n")) == both
            replaced = folder / "components.py.tmp"
            replaced.write_text("import other\n")
            assert await after(lambda: replaced.replace(folder / "components.py")) == both
            (folder / "new").mkdir()
            assert await after((folder / "new" / "b.py").touch) == {*both, "new/b.py"}
            assert await after((folder / "new" / "b.py").unlink) == both
            # Neither of the first two is a change of the sources: the third one is what is noticed.
            (folder / "notes.txt").write_text("changed")
            (folder / "components.py").touch()
            assert await after((folder / "c.py").touch) == {*both, "c.py"}

    asyncio.run(steps())


def test_a_process_imports_what_was_saved_whatever_the_files_say_now(folder, tmp_path):
    (folder / "helper.py").write_bytes("# coding: latin-1\nWORD = 'gr\u00fcn'\n".encode("latin-1"))
    Sources.read(folder).save(tmp_path / "saved.json")
    (folder / "helper.py").write_text("this is broken (")
    program = "import helper; print(helper.WORD, helper.__file__)"
    paths = f"{folder}:{STARTUP}"
    for variables, status in ({SOURCES_VARIABLE: str(tmp_path / "saved.json")}, 0), ({}, 1):
        done = subprocess.run(
            [sys.executable, "-X", "utf8", "-c", program],
            env={"PYTHONPATH": paths, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stderr
        if status == 0:
            assert done.stdout == f"gr\u00fcn {folder / 'helper.py'}\n"
