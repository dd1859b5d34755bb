"""The HTTP API: routers, requests and responses, errors, authentication. The only package that imports FastAPI."""
