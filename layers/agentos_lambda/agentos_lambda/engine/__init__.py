"""The engine behind ``agentos_lambda.runs.ports.Engine``: agno. Only modules of this package import agno."""
