"""Many clients at once, each with a run, that drop and reconnect at random. Nothing may be lost or repeated.

    python -m tests.local.websocket_load ws://127.0.0.1:8000/workflows/ws --connections 200

The key is read from OS_SECURITY_KEY, the workflow has to have an agent with the demo model (``talk`` of
``websocket_components.py``, or ``letter`` of the sample components).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import connect

SAID = "I am the demo model, and you said: "
END = "WorkflowCompleted"


@dataclass
class Story:
    """What one client has seen of its run."""

    text: str
    drops: int = 0
    first_frame: float = 0.0
    """Seconds from the start of the run to its first event."""
    duration: float = 0.0
    """Seconds from the first event to the last."""
    frames: list[dict[str, Any]] = field(default_factory=list)

    def check(self) -> None:
        """Fails if anything was lost, repeated or out of order."""
        indexes = [frame["event_index"] for frame in self.frames]
        assert indexes == sorted(set(indexes)), "events were repeated or out of order"
        told = "".join(frame["content"] for frame in self.frames if frame["event"] == "RunContent")
        assert told == SAID + self.text, f"text was lost or repeated: {told!r}"
        assert self.frames[0]["event"] == "WorkflowStarted", self.frames[0]
        assert self.frames[-1]["event"] == END, self.frames[-1]


@asynccontextmanager
async def connected(url: str, key: str | None):
    async with connect(url, open_timeout=60, max_queue=None) as socket:
        hello = json.loads(await socket.recv())
        assert hello["event"] == "connected", hello
        if key is not None:
            await socket.send(json.dumps({"action": "authenticate", "token": key}))
            assert json.loads(await socket.recv())["event"] == "authenticated"
        yield socket


async def play(
    url: str, key: str | None, workflow: str, text: str, *, slow: str = "", chance: random.Random | None = None
) -> Story:
    """Start a run and follow it to its end, over as many connections as that takes: ``chance`` says when it drops."""
    chance = chance or Never()
    story = Story(text)
    message = {"action": "start-workflow", "workflow_id": workflow, "message": f"{slow} {text}".strip()}
    began = time.monotonic()
    while not story.frames or story.frames[-1]["event"] != END:
        async with connected(url, key) as socket:
            await socket.send(json.dumps(message))
            until = chance.randrange(1, 12) if chance.random() < 0.7 else None
            await _follow(socket, story, until)
        if story.first_frame == 0.0:
            story.first_frame = story.frames[0]["at"] - began
        story.drops += 1
        message = {
            "action": "reconnect",
            "run_id": story.frames[0]["run_id"],
            "last_event_index": story.frames[-1]["event_index"],
        }
    story.drops -= 1
    story.duration = story.frames[-1]["at"] - story.frames[0]["at"]
    return story


async def _follow(socket: Any, story: Story, until: int | None) -> None:
    """Take frames to the end, or ``until`` so many have come."""
    taken = 0
    while until is None or taken < until:
        frame = json.loads((await asyncio.wait_for(socket.recv(), 120)).split("\ndata: ", 1)[-1])
        assert frame["event"] != "error", frame
        if "event_index" in frame:
            story.frames.append({**frame, "at": time.monotonic()})
            taken += 1
        if frame["event"] == END:
            return


class Never(random.Random):
    """Drops nothing."""

    def random(self) -> float:
        return 1.0


async def load(url: str, key: str | None, workflow: str, *, connections: int, words: int, seed: int = 1) -> list[Story]:
    """The stories of so many clients at once, checked."""
    texts = [" ".join(f"{client}-{word}" for word in range(words)) for client in range(connections)]
    stories = await asyncio.gather(
        *(
            play(url, key, workflow, text, slow="[slow 5ms]", chance=random.Random(seed + place))  # noqa: S311
            for place, text in enumerate(texts)
        )
    )
    for story in stories:
        story.check()
    return list(stories)


async def measure(url: str, key: str | None, workflow: str) -> None:
    """Print what one client sees of a workflow of 2,000 tokens, at two speeds of the model."""
    text = " ".join(f"w{word}" for word in range(2000 - len(SAID.split())))
    for slow in ("", "[slow 10ms]"):
        story = await play(url, key, workflow, text, slow=slow)
        story.check()
        posts = len(story.frames)
        print(  # noqa: T201 - what it is for
            f"2,000 tokens {slow or 'at full speed'}: first frame after {story.first_frame:.2f} s, "
            f"{posts} posts in {story.duration:.1f} s, {posts / story.duration:.0f} a second"
        )


async def main(url: str, workflow: str, connections: int, words: int) -> None:
    key = os.environ.get("OS_SECURITY_KEY")
    await play(url, key, workflow, "warm up")
    await measure(url, key, workflow)
    began = time.monotonic()
    stories = await load(url, key, workflow, connections=connections, words=words)
    seconds = time.monotonic() - began
    frames = sum(len(story.frames) for story in stories)
    first = sorted(story.first_frame for story in stories)
    print(  # noqa: T201
        f"{connections} connections at once: {sum(story.drops for story in stories)} drops, {frames} frames in "
        f"{seconds:.1f} s, {frames / seconds:.0f} a second; first frame after {statistics.median(first):.1f} s "
        f"(median), {first[-1]:.1f} s (longest). Nothing lost, nothing repeated."
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--workflow", default="letter")
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--words", type=int, default=60)
    options = parser.parse_args()
    asyncio.run(main(options.url, options.workflow, options.connections, options.words))
