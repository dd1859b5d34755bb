"""The released AgentOS as a gateway to another one: ``python -m tests.clients.gateway PORT URL``.

Runs in the environment of ``requirements/oracle.txt``, which has AgentOS's own server.
"""

from __future__ import annotations

import sys


def main(port: int, url: str) -> None:
    import uvicorn  # noqa: PLC0415 - only that environment has these
    from agno.agent import RemoteAgent  # noqa: PLC0415
    from agno.os import AgentOS  # noqa: PLC0415
    from agno.team import RemoteTeam  # noqa: PLC0415
    from agno.workflow import RemoteWorkflow  # noqa: PLC0415

    app = AgentOS(
        id="gateway",
        telemetry=False,
        agents=[RemoteAgent(base_url=url, agent_id=name) for name in ("assistant", "clerk", "companion")],
        teams=[RemoteTeam(base_url=url, team_id="newsroom")],
        workflows=[RemoteWorkflow(base_url=url, workflow_id="letter")],
    ).get_app()
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
