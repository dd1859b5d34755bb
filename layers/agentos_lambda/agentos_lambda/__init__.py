"""The AgentOS API on AWS Lambda: runs of agno agents, teams and workflows on services billed per request."""

__version__ = "0.1.0"
