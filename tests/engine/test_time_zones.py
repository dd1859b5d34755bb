"""A component's time zone is right also where the system has no time zones, as on Lambda."""

import os
import re
import subprocess
import sys

PROGRAM = """
from agno.agent import Agent
from agentos_lambda.engine.models.demo import DemoModel

agent = Agent(model=DemoModel(), add_datetime_to_context=True, timezone_identifier="Europe/Berlin")
print(agent.run("hello").messages[0].content)
"""


def test_a_time_zone_needs_nothing_of_the_system() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONTZPATH": "", "TZ": "UTC"}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True, timeout=120
    )

    assert re.search(r"The current time is .*\+0[12]:00\.", run.stdout)
