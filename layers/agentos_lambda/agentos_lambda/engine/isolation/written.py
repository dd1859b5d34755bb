"""What of a run its model has made."""

from __future__ import annotations

from agentos_lambda.protocol.values import JsonObject

WRITTEN = (
    "reasoning_content", "reasoning_steps", "reasoning_messages", "images", "videos", "audio", "response_audio",
    "files", "citations", "followups", "model_provider_data",
)  # fmt: skip
"""The fields of a run, beside its content, that hold what the model has made."""
ASKED = frozenset({"system", "developer", "user"})
"""The roles of messages that say what was asked."""


def without_output(run: JsonObject) -> JsonObject:
    """A run without what the model has made. Of its tools it tells that they were called; the content stays."""
    kept = {name: value for name, value in run.items() if name not in WRITTEN}
    if kept.get("messages"):
        kept["messages"] = [each for each in kept["messages"] if each.get("from_history") or each["role"] in ASKED]
    if kept.get("tools"):
        kept["tools"] = [{**tool, "tool_args": None, "result": None} for tool in kept["tools"]]
    return kept
