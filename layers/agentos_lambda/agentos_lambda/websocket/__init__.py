"""The workflow WebSocket: what clients send, what they are sent, and who follows which run. Nothing is in memory."""
