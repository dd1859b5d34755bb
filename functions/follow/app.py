"""The function behind ``…/resume``: the log of a run as a stream."""

from agentos_lambda.aws.functions.follow import follow_handler

handler = follow_handler()
