"""The format and the levels of the log."""

from __future__ import annotations

import json
import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from agentos_lambda.aws.logs import _JsonFormatter, request_id, set_levels, silence


@pytest.fixture(autouse=True)
def levels():
    loggers = [logging.getLogger(), logging.getLogger("agentos_lambda")]
    before = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


@dataclass
class Context:
    aws_request_id: str


def line_of(message: str, *args: object, **given: object) -> dict[str, object]:
    record = logging.getLogger("agentos_lambda.test").makeRecord(
        "agentos_lambda.test", logging.WARNING, __file__, 1, message, args, **given
    )
    return json.loads(_JsonFormatter().format(record))


def test_a_line_names_its_request_and_what_it_is_about():
    request_id.take(Context("request-1"))
    line = line_of(
        "the %s was lost", "answer", exc_info=None, extra={"run_id": "r", "session_id": "s", "connection_id": "c"}
    )
    assert (line["requestId"], line["run_id"], line["session_id"], line["connection_id"]) == (
        "request-1",
        "r",
        "s",
        "c",
    )
    assert (line["level"], line["message"]) == ("WARNING", "the answer was lost")


def test_a_line_of_a_thread_names_the_request_that_the_process_works_for():
    with ThreadPoolExecutor(1) as pool:
        pool.submit(line_of, "before", exc_info=None).result()
        request_id.take(Context("request-2"))
        assert pool.submit(line_of, "after", exc_info=None).result()["requestId"] == "request-2"


def test_a_line_holds_what_was_added_and_nothing_of_python_s_own():
    assert line_of("x", exc_info=None).keys() == {"timestamp", "level", "message", "logger", "requestId"}


def test_what_is_no_json_is_told_as_text():
    assert line_of("x", exc_info=None, extra={"path": object})["path"] == "<class 'object'>"


def test_an_error_is_told_with_its_type_and_trace():
    try:
        raise ValueError("no")
    except ValueError:
        line = line_of("x", exc_info=sys.exc_info())
    assert (line["errorType"], line["errorMessage"]) == ("ValueError", "no")
    assert any("test_logs.py" in frame for frame in line["stackTrace"])


@pytest.mark.parametrize(
    ("level", "own", "others"),
    [
        ("DEBUG", logging.DEBUG, logging.INFO),
        ("INFO", logging.INFO, logging.INFO),
        ("ERROR", logging.ERROR, logging.ERROR),
        ("trace", logging.DEBUG, logging.INFO),
    ],
)
def test_only_our_own_package_is_ever_asked_for_details(level, own, others):
    set_levels(level)
    assert logging.getLogger("agentos_lambda.runs").getEffectiveLevel() == own
    assert logging.getLogger("botocore.endpoint").getEffectiveLevel() == others


def test_a_silenced_logger_says_nothing_whatever_its_level_is_set_to(caplog):
    logger = logging.getLogger("a-talkative-library")
    silence([logger.name])
    logger.setLevel(logging.DEBUG)
    logger.critical("what somebody has asked")
    assert caplog.records == []
