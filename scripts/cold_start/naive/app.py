"""The same components in the plain way: agno's own AgentOS app behind Mangum."""

from agno.db.dynamo import DynamoDb
from agno.os import AgentOS
from mangum import Mangum

from components import agents, teams, workflows

handler = Mangum(AgentOS(agents=agents, teams=teams, workflows=workflows, db=DynamoDb()).get_app(), lifespan="off")
