"""An executor in a process of its own, driven by lines of JSON.

``{"account": number, "do": name, "pause_before": operation, "pause_at": n, …}`` calls a function of this module on the
tables of that account. Just before the n-th request of that operation leaves, the process writes ``"paused"`` and
blocks until it reads another line. At the end it writes what happened: ``"done"``, or the name of the error.
"""

from __future__ import annotations

import json
import sys

from boto3.session import Session

from agentos_lambda.runs.errors import RunsError
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb import DynamoDBStore
from tests.cloud import tables_of
from tests.stores import builders

NOW = builders.NOW


def claim(store, *, run_id, executor):
    builders.claim(store, run_id, executor)


def take_over(store, *, run_id, executor):
    builders.take_over(store, run_id, executor)


def execute(store, *, run_id, executor):
    """A whole run: one event is logged at once, the others only with the commit."""
    record = builders.claim(store, run_id, executor)
    store.append(run_id, record.attempt, builders.pack(0, "logged in time"))
    builders.load(store)
    record = store.renew(record, lease_until=NOW + builders.LEASE_MS)
    store.commit(
        builders.ending(
            record,
            output=builders.output(executor),
            session=builders.delta(**{executor: True, "last": executor}),
            last_events=builders.pack(1, f"text of {executor}", f"end of {executor}"),
            sealed_at=2,
        )
    )


def append(store, *, run_id, executor):
    store.append(run_id, 1, builders.pack(1, f"text of {executor}"))


COMMANDS = {function.__name__: function for function in (claim, take_over, execute, append)}


def say(word):
    sys.stdout.write(f"{json.dumps(word)}\n")
    sys.stdout.flush()


def main():
    session = Session(aws_access_key_id="of each command", aws_secret_access_key="not-checked")
    client = session.client("dynamodb")
    countdown = {"operation": None, "left": 0}

    def pause(event_name, **_context):
        if event_name.endswith(f".{countdown['operation']}"):
            countdown["left"] -= 1
            if countdown["left"] == 0:
                say("paused")
                sys.stdin.readline()

    client.meta.events.register("before-send.dynamodb.*", pause)
    for line in sys.stdin:
        command = json.loads(line)
        countdown.update(operation=command.pop("pause_before"), left=command.pop("pause_at", 1))
        session.get_credentials().access_key = account = command.pop("account")
        store = DynamoDBStore(tables_of(account), clients=Clients(dynamodb=client))
        try:
            COMMANDS[command.pop("do")](store, **command)
        except RunsError as error:
            say(type(error).__name__)
        else:
            say("done")


if __name__ == "__main__":
    main()
