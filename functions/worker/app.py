"""The function that executes queued runs."""

from agentos_lambda.aws.functions.queue import worker_handler

handler = worker_handler()
