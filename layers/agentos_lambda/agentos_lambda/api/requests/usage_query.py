"""What a request for usage asks for."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from fastapi import Header, Query

JSON, CSV = "application/json", "text/csv"

Format: TypeAlias = Annotated[Literal["json", "csv"] | None, Query(alias="format", description="Else as `Accept` says")]
Accept: TypeAlias = Annotated[str | None, Header(include_in_schema=False)]


def wants_csv(asked: str | None, accept: str | None) -> bool:
    """Whether the answer is to be CSV."""
    if asked is not None:
        return asked == "csv"
    types = [each.partition(";")[0].strip().lower() for each in (accept or "").split(",")]
    return CSV in types and JSON not in types
