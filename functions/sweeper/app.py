"""The function that ends what nobody else will, once a minute."""

from agentos_lambda.aws.functions.queue import sweeper_handler

handler = sweeper_handler()
