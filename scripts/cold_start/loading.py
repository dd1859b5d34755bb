"""Runs whose first one depends on when components are imported (the template's ``LoadComponents``)."""

from __future__ import annotations

from dataclasses import replace

from scripts.cold_start.first_answer import REQUESTS

_, _STREAMED = REQUESTS
_BACKGROUND = (("message", "Hello!"), ("stream", "false"), ("background", "true"))
RUNS = (_STREAMED, replace(_STREAMED, name="a run in the background", form=_BACKGROUND))
VARIABLE = "LOAD_COMPONENTS"
CHOICES = ("at-start", "at-first-run")
