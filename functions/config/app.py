"""The function behind ``/``, ``/health``, ``/info``, ``/config``, ``/models`` and the API's documentation."""

from agentos_lambda.aws.functions.config import discovery_handler

handler = discovery_handler()
