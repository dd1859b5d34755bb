"""Text that stays large."""

from __future__ import annotations

import random


def incompressible(size: int, seed: int = 0) -> str:
    """Text that takes about ``size`` bytes when compressed, the same for the same seed."""
    printable = range(32, 127)
    return "".join(map(chr, random.Random(seed).choices(printable, k=size * 8 // 7)))  # noqa: S311 - no secret
