"""The stack of ``make run``, whose agents' function measures: ``python -m scripts.bench.stack PORT STATE``."""

from __future__ import annotations

import sys
from pathlib import Path

from local.processes.run_until_signal import run_until_signal
from local.settings import ROOT, Settings
from local.stack import serve

READY = "ready"
"""What it prints when it serves."""
_TIMED = Path(__file__).parent / "timed"


def _template(folder: Path) -> Path:
    """The project's own, but for the code of one function."""
    template = folder / "template.yaml"
    text = (ROOT / "template.yaml").read_text()
    text = text.replace("CodeUri: functions/agents\n", f"CodeUri: {_TIMED}\n")
    template.write_text(text.replace("CodeUri: functions/", f"CodeUri: {ROOT}/functions/"))
    return template


if __name__ == "__main__":
    state = Path(sys.argv[2])
    settings = Settings(port=int(sys.argv[1]), state=state, template=_template(state))
    sys.exit(run_until_signal(serve(settings, lambda: print(READY, flush=True))))
