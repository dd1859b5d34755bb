"""The function that executes queued runs."""

from agentos_lambda.aws.queue_functions import worker_handler

handler = worker_handler()
