"""The error that every function answers with when something unexpected happened."""

from __future__ import annotations

from typing import Final

INTERNAL_ERROR: Final = {"detail": "Internal server error", "error_code": "INTERNAL_ERROR"}
"""The body of a 500. It never says more: the log does."""
