"""A function that takes messages and scheduled events, and leaves word of each."""

import os
from pathlib import Path
from typing import Any

SIGNALS = Path(os.environ["TOY_SIGNALS"])


def tell(name: str) -> None:
    with (SIGNALS / name).open("a") as file:
        file.write("x")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    if event.get("source") == "aws.scheduler":
        tell("swept")
        return None
    [message] = event["Records"]
    what = message["body"]
    tell(f"{what}-{message['attributes']['ApproximateReceiveCount']}")
    if what.startswith("hold"):
        (SIGNALS / f"{what}-go").read_bytes()
    if what == "crash" and message["attributes"]["ApproximateReceiveCount"] == "1":
        os._exit(1)
    failed = [{"itemIdentifier": message["messageId"]}] if what == "poison" else []
    tell(f"{what}-done")
    return {"batchItemFailures": failed}
