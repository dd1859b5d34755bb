"""The Runtime API loop: ``python -m agentos_lambda.aws.runtime`` serves a handler and streams its answers."""
