"""AgentOS on the wire: what every way to speak it shares. Imports nothing of ours and no framework."""
