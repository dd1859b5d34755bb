"""The project's own functions, whose components are edited while they run."""

import os
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.local_stack import running_stack
from tests.waiting import until

pytestmark = pytest.mark.faults

COMPONENTS = """
import os
from pathlib import Path

from agno.workflow import Step, StepInput, StepOutput, Workflow

from wording import NAME, WORD

FOLDER = Path(__file__).parent


def say(step_input: StepInput) -> StepOutput:
    if step_input.input == "wait":
        (FOLDER / "begun").touch()
        (FOLDER / "gate").read_bytes()
    from late import WORD as LATE
    return StepOutput(content=f"{WORD} {LATE}")


agents = []
teams = []
workflows = [Workflow(id="speaker", name=NAME, steps=[Step(name="say", executor=say)])]
"""
PATH = "/workflows/speaker/runs"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "components"
    folder.mkdir()
    (folder / "components.py").write_text(COMPONENTS)
    say(folder, "old")
    os.mkfifo(folder / "gate")
    return folder


def say(folder, word):
    (folder / "late.py").write_text(f"WORD = {word!r}\n")
    (folder / "wording.py").write_text(f"NAME = {word!r}\nWORD = {word!r}\n")


def printed(stack, text):
    return [line for line in list(stack.lines.queue) if line.startswith("[components] ") and text in line]


def test_components_are_reloaded_when_they_or_what_they_import_has_changed(folder, tmp_path):
    with (
        running_stack(tmp_path / "state", components=folder / "components.py") as stack,
        httpx.Client(base_url=stack.url, timeout=60) as client,
        ThreadPoolExecutor() as pool,
    ):

        def run(message="now"):
            return client.post(PATH, data={"message": message, "stream": "false"}).json()["content"]

        # A broken file changes nothing, not even for an environment that has imported no components yet.
        (folder / "wording.py").write_text("WORD = (\n")
        [line] = until(lambda: printed(stack, "wording.py"))
        assert line.startswith(f"[components] {folder / 'wording.py'}:1: ")
        assert run() == "old old"
        assert client.get("/workflows").json()[0]["name"] == "old"

        # A run that is in progress ends as it began, even in what it imports later.
        in_progress = pool.submit(run, "wait")
        until((folder / "begun").exists)
        say(folder, "new")
        until(lambda: printed(stack, "changed"))
        assert run() == "new new"
        assert until(lambda: client.get("/workflows").json()[0]["name"] == "new")
        (folder / "gate").write_bytes(b"")
        assert in_progress.result() == "old old"
        assert run() == "new new"
