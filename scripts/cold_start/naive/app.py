"""The same components in the obvious way: agno's own AgentOS app behind Mangum."""

from agno.db.dynamo import DynamoDb
from agno.os import AgentOS
from mangum import Mangum

from components import agents, teams, workflows

agent_os = AgentOS(agents=[*agents], teams=[*teams], workflows=[*workflows], db=DynamoDb())
handler = Mangum(agent_os.get_app(), lifespan="off")
