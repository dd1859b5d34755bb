"""Implementations of the store Protocols of ``agentos_lambda.runs.ports``. All boto3 of the package is in here."""
