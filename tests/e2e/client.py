"""Clients of a deployment, and what they wait for."""

from __future__ import annotations

from typing import Any

import httpx

from tests.waiting import PATIENCE_SECONDS, until


def client_of(url: str, key: str | None) -> httpx.Client:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_SECONDS)


def status_of(client: httpx.Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    status: str = answer.json()["status"]
    return status


def wait_for(client: httpx.Client, path: str, *statuses: str) -> dict[str, Any]:
    """The run, once it has one of the statuses."""
    until(lambda: status_of(client, path) in statuses)
    run: dict[str, Any] = client.get(path).json()
    return run
