"""The function behind ``/workflows``."""

from agentos_lambda.aws.functions.runs import runs_handler
from agentos_lambda.protocol.values import Kind

handler = runs_handler(Kind.WORKFLOW)
