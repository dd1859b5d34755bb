"""The function behind everything about components and runs that executes nothing: lists, details, reads, cancels."""

from agentos_lambda.aws.functions.control import control_handler

handler = control_handler()
