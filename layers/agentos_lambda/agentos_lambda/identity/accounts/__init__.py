"""Service accounts: callers that are machines, and show a token that this API has made (the AgentOS 3.1 API)."""
