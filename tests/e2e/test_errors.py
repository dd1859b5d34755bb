"""Errors of a deployed API: of the functions, and of API Gateway before them."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.build


@pytest.mark.parametrize(
    ("request_line", "body", "error"),
    [
        ("GET /agents/nobody", None, (404, "NOT_FOUND")),
        ("GET /teams/newsroom/runs/none", None, (404, "NOT_FOUND")),
        ("POST /agents/assistant/runs", b"{", (400, "BAD_REQUEST")),
        ("POST /agents/assistant/runs", b"{}", (422, "VALIDATION_ERROR")),
        ("POST /workflows/letter/runs/none/cancel", None, (404, "NOT_FOUND")),
    ],
)
def test_a_function_refuses_in_the_one_format(api, request_line, body, error):
    method, path = request_line.split()
    answer = api.request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error_code"]) == error
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("DELETE", "/agents"), ("POST", "/config")])
def test_api_gateway_knows_nothing_else_and_says_so_in_the_one_format(api, method, path):
    answer = api.request(method, path)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found", "error_code": "NOT_FOUND"})
    assert answer.headers["access-control-allow-origin"] == "*"


def test_an_upload_of_an_unknown_type_is_refused(api):
    answer = api.post(
        "/agents/assistant/runs",
        data={"message": "run it"},
        files={"files": ("a.exe", b"MZ", "application/x-msdownload")},
    )
    assert (answer.status_code, answer.json()["error_code"]) == (400, "UNSUPPORTED_FILE_TYPE")
