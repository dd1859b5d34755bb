"""``make smoke URL=… KEY=…``: drive a stack as its clients will, print a table, and exit with 1 if something fails.

The key, or a token, is taken from the variable ``SMOKE_KEY``, so that no list of processes shows it.
"""

from __future__ import annotations

import argparse
import os
import sys

import httpx

from scripts.smoke.checks import run
from scripts.smoke.target import Failed, discover


def main(arguments: list[str] | None = None) -> int:
    """Gives the process's exit status: 0 if nothing fails, 1 if a check does, 2 if the stack cannot be driven."""
    options = _options(arguments)
    if not options.url:
        print("Say which stack: URL=$(make -s url) KEY=$(make -s key) make smoke", file=sys.stderr)
        return 2
    try:
        target = discover(
            options.url,
            os.environ.get("SMOKE_KEY"),
            streams=not options.buffered,
            origin=options.origin,
            websocket=options.websocket,
            agent=options.agent,
            workflow=options.workflow,
        )
    except (Failed, httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        print(f"{options.url} cannot be driven: {error}", file=sys.stderr)
        return 2
    outcomes = []
    for result in run(target, slow=options.slow):
        outcomes.append(result.outcome)
        print(f"{result.outcome}  {result.name:<38}{result.seconds:6.1f} s  {result.seen}", flush=True)
        if result.look:
            print(f"      look at: {result.look}", flush=True)
    passed, failed, skipped = (outcomes.count(outcome) for outcome in ("pass", "FAIL", "skip"))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.smoke", description=__doc__)
    parser.add_argument("--url", required=True, help="base URL of the API")
    parser.add_argument("--websocket", default="", help="URL of the WebSocket; default: what GET /info says")
    parser.add_argument("--agent", default="", help="id of the agent to run; default: assistant, or the first")
    parser.add_argument("--workflow", default="", help="id of the workflow to run; default: letter, or the first")
    parser.add_argument("--origin", default="https://os.agno.com", help="a page that may call; default: %(default)s")
    parser.add_argument("--buffered", action="store_true", help="the stack's ResponseMode is not streaming")
    parser.add_argument("--slow", action="store_true", help="include what takes minutes")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
