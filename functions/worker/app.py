"""The function that executes queued runs."""

from agentos_lambda.aws.wiring import worker_handler

handler = worker_handler()
