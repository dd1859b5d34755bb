"""Which status an error of the runs is answered with: that of its class."""

import pytest

from agentos_lambda.runs.errors import Conflict, InvalidRequest, NotFound, NotStorable, QueueFull, StoreUnavailable

pytestmark = pytest.mark.anyio

ANSWERS = {
    InvalidRequest: (400, "BAD_REQUEST", None),
    NotFound: (404, "NOT_FOUND", None),
    Conflict: (409, "CONFLICT", None),
    NotStorable: (413, "PAYLOAD_TOO_LARGE", None),
    QueueFull: (429, "TOO_MANY_REQUESTS", "5"),
    StoreUnavailable: (503, "SERVICE_UNAVAILABLE", "5"),
}


@pytest.mark.parametrize("base", ANSWERS)
@pytest.mark.parametrize("finer", [False, True], ids=["the class", "a subclass"])
async def test_an_error_has_the_status_of_its_class_and_so_has_one_of_a_subclass(api, monkeypatch, base, finer):
    raised = type("Finer", (base,), {}) if finer else base

    def fail(*_arguments, **_options):
        raise raised("What is wrong")

    monkeypatch.setattr(api.world.runs, "get", fail)
    answer = await api.client.get("/agents/assistant/runs/r")
    body = answer.json()
    assert (answer.status_code, body["error_code"], answer.headers.get("retry-after")) == ANSWERS[base]
    assert body["detail"] == ("The service is temporarily unavailable" if base is StoreUnavailable else "What is wrong")
