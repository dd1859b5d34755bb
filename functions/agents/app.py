"""The function behind ``/agents``."""

from agentos_lambda.aws.http_functions import runs_handler
from agentos_lambda.runs.model import Kind

handler = runs_handler(Kind.AGENT)
