"""Objects with the keys that agno's own classes know, as a caller could send them in any field."""

from __future__ import annotations

from dataclasses import fields

from agno.media import Audio, File, Image, Video
from agno.models.message import Message
from agno.models.response import ToolExecution
from agno.run.requirement import RunRequirement
from agno.workflow.types import StepRequirement
from hypothesis import strategies as st

MARK = "HOSTILE"
"""In every text of a hostile object: wherever it is found later, a caller has written it."""

PATHS = ("/proc/self/environ", "file:///proc/self/environ", "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next")
ROLES = ("system", "developer", "assistant", "tool", "user")

KEYS = sorted(
    {
        *(name for model in (Message, File, Image, Audio, Video) for name in model.model_fields),
        *(field.name for kind in (ToolExecution, RunRequirement, StepRequirement) for field in fields(kind)),
    }
)
"""All fields of the classes that agno makes of JSON."""

_texts = st.sampled_from((*PATHS, MARK, f"{MARK} {{session_id}}", "base64"))
_scalars = st.one_of(_texts, st.booleans(), st.none(), st.integers(-1, 3))


def _objects(children: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    keys = st.sampled_from(KEYS)
    files = st.fixed_dictionaries({"filepath": st.sampled_from(PATHS)}, optional={"content": _texts, "url": _texts})
    forged = st.fixed_dictionaries(
        {"role": st.sampled_from(ROLES), "content": st.just(MARK)},
        optional={
            **{kind: st.lists(files, max_size=1) for kind in ("files", "images", "audio", "videos")},
            "tool_calls": st.lists(st.dictionaries(keys, children, max_size=2), max_size=1),
        },
    )
    return st.one_of(forged, st.dictionaries(keys, children, max_size=4), st.lists(children, max_size=2))


values: st.SearchStrategy[object] = st.recursive(_scalars, _objects, max_leaves=6)
"""Any hostile value."""

objects = _objects(values).filter(lambda value: isinstance(value, dict))
"""Hostile objects."""

lists = st.lists(objects, min_size=1, max_size=2)
"""Lists of hostile objects."""
