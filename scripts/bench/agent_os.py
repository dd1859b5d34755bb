"""AgentOS itself with the sample components: ``python -m scripts.bench.agent_os PORT [SQLITE_FILE]``.

Without a file its store is DynamoDB, where the variables of the AWS SDK say that it is. It runs in an environment of
its own, which has the released package.
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from agno.os import AgentOS

from components import agents, teams, workflows


def _database(file: str | None) -> Any:
    if file is None:
        from agno.db.dynamo import DynamoDb  # noqa: PLC0415 - needs boto3

        return DynamoDb()
    from agno.db.sqlite import SqliteDb  # noqa: PLC0415

    return SqliteDb(db_file=file)


if __name__ == "__main__":
    served = AgentOS(
        agents=[*agents],
        teams=[*teams],
        workflows=[*workflows],
        db=_database(sys.argv[2] if len(sys.argv) > 2 else None),  # noqa: PLR2004
        telemetry=False,
    )
    uvicorn.run(served.get_app(), host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
