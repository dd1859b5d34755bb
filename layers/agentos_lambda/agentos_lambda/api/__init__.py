"""The HTTP API: routers, requests and responses, errors, authentication. The only package that imports FastAPI."""

from agentos_lambda.lighter_imports import models_made_when_used

with models_made_when_used():
    import fastapi as fastapi  # before any module of this package does
