"""Items that expire: hidden at once, and deleted by DynamoDB some days later, or by the sweeper.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentos_lambda.stores.dynamodb.attributes import Item, number


def expiry(until: int | None, *, not_before: int = 0) -> Item:
    """The attributes of an item that is hidden after the time ``until``, and may be deleted from then on, but
    ``not_before`` another time. In milliseconds; None for an item that stays."""
    if until is None:
        return {}
    return {"retained_until": number(until), "expires_at": number(max(until, not_before) // 1000 + 1)}


def is_expired(item: Mapping[str, Any], now: int) -> bool:
    """Whether the item is to be hidden."""
    return "retained_until" in item and int(item["retained_until"]["N"]) < now
