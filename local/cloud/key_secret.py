"""The user's security key as a secret of the local cloud, where functions read it as they do on AWS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from local.cloud.session import CloudClients


@asynccontextmanager
async def key_secret(key: str | None, clients: CloudClients) -> AsyncIterator[str]:
    """The ARN of a secret that holds the key, or an empty text without a key.

    The secret is deleted at the end of the context. The state on disk never holds a key: secrets are not saved.
    """
    if not key:
        yield ""
        return
    secrets = clients.secrets
    made = await asyncio.to_thread(secrets.create_secret, Name=f"security-key-{uuid4()}", SecretString=key)
    arn = made["ARN"]
    try:
        yield arn
    finally:
        await asyncio.to_thread(secrets.delete_secret, SecretId=arn, ForceDeleteWithoutRecovery=True)
