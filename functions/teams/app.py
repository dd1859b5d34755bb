"""The function behind ``/teams``."""

from agentos_lambda.aws.http_functions import runs_handler
from agentos_lambda.runs.model import Kind

handler = runs_handler(Kind.TEAM)
