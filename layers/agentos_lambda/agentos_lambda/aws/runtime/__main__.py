"""The process that serves a handler: ``python -m agentos_lambda.aws.runtime``."""

from __future__ import annotations

import importlib
import logging
import os
import sys

from agentos_lambda.aws.event_loop import process_loop
from agentos_lambda.aws.logs import configure_logging
from agentos_lambda.aws.runtime.api import RuntimeApi
from agentos_lambda.aws.runtime.loop import Handler, Runtime, StreamingHandler
from agentos_lambda.aws.runtime.recycle import recycle_due, recycle_now
from agentos_lambda.lighter_imports import imported_for_good

logger = logging.getLogger("agentos_lambda.aws.runtime")  # its __name__ is __main__


def load_handler(name: str) -> Handler:
    """The object that Lambda's ``_HANDLER`` names: ``module.attribute``, with ``/`` for packages."""
    module, _, attribute = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module.replace("/", ".")), attribute)
    return handler


class UnsupportedEnvironment(Exception):
    """Lambda is configured for what this loop cannot do."""


def refuse_what_this_loop_cannot_do() -> None:
    """Raise ``UnsupportedEnvironment`` rather than serve wrongly."""
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        raise UnsupportedEnvironment("SnapStart: environments would share what was made before the snapshot")
    if os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY"):
        raise UnsupportedEnvironment("several invocations at a time in one environment (Lambda Managed Instances)")


def handler_to_serve() -> Handler:
    """The handler to serve.

    A wrapper that ours was chained to may have named a handler of its own, which instruments what is imported and calls
    the function's. It cannot stream, so if the function's can, that is served.
    """
    named = load_handler(os.environ["_HANDLER"])
    own = os.environ.get("AGENTOS_HANDLER")
    if not own or isinstance(named, StreamingHandler):
        return named
    handler = load_handler(own)
    return handler if isinstance(handler, StreamingHandler) else named


def main() -> int:
    """Load the handler that the environment variables name, and serve it. Gives the process's exit status."""
    configure_logging()
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    try:
        refuse_what_this_loop_cannot_do()
        with imported_for_good():
            handler = handler_to_serve()
    except BaseException as error:  # the edge: Lambda wants to know of SystemExit, too
        logger.exception("%s could not be loaded", os.environ["_HANDLER"])
        api.report_init(error)
        return 1
    Runtime(api, handler).serve(process_loop())
    if recycle_due():
        recycle_now()
    return 0


if __name__ == "__main__":
    sys.exit(main())
