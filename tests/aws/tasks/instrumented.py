"""What a wrapper for observability puts before a function's handler: it calls that, and cannot stream."""

import app

print("instrumented")  # noqa: T201 - the test looks for it


def handler(event, context):
    return app.handler(event, context)
