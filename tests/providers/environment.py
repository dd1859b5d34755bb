"""What leads the clients of all providers to a server on loopback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agentos_lambda.engine.models import bedrock as bedrock_models
from tests.engine.playing import Played
from tests.providers.server import Provider

Playing = Callable[..., Played]
"""Plays a run of an agent: the name of its model, the message, and what ``play`` takes."""


def lead_to(provider: Provider, patch: pytest.MonkeyPatch, bedrock_clients: dict[str | None, Any]) -> None:
    """Has the environment name this server as each provider's. ``bedrock_clients`` lead there already, by region."""
    patch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", provider.url)
    patch.setenv("OPENAI_BASE_URL", f"{provider.url}/v1")
    patch.setenv("ANTHROPIC_BASE_URL", provider.url)
    patch.setenv("ANTHROPIC_BEDROCK_BASE_URL", provider.url)
    patch.setenv("GOOGLE_GEMINI_BASE_URL", provider.url)
    keys = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", *keys):
        patch.setenv(name, "test")
    patch.setenv("AWS_REGION", "eu-west-1")
    patch.setenv("AWS_MAX_ATTEMPTS", "1")
    patch.setattr(bedrock_models, "_clients", bedrock_clients)
