"""Who has sent a message."""

from __future__ import annotations

from dataclasses import dataclass

from agentos_lambda.identity.principal import Principal
from agentos_lambda.protocol.values import JsonObject
from agentos_lambda.runs.access import Caller
from agentos_lambda.websocket.messages import user_id


@dataclass(frozen=True, slots=True)
class Client:
    """A connection, and who is at its other end."""

    connection_id: str
    principal: Principal

    def caller(self, message: JsonObject) -> Caller:
        """On whose behalf the message asks for something that is there."""
        claimed = user_id(message)
        return Caller(self.principal.reads_for(claimed), isolated=self.principal.isolated)
