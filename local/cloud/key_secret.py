"""The user's security key as a secret of the local cloud, where functions read it as they do on AWS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from local.cloud.session import ONCE, cloud_session


@asynccontextmanager
async def key_secret(key: str | None, cloud_url: str) -> AsyncIterator[str]:
    """The ARN of a secret with the key, for as long as the context lasts: no key is kept. Empty without a key."""
    if not key:
        yield ""
        return
    client = cloud_session().client("secretsmanager", endpoint_url=cloud_url, config=ONCE)
    made = await asyncio.to_thread(client.create_secret, Name=f"security-key-{uuid4()}", SecretString=key)
    arn = made["ARN"]
    try:
        yield arn
    finally:
        await asyncio.to_thread(client.delete_secret, SecretId=arn, ForceDeleteWithoutRecovery=True)
