"""The workflow WebSocket: messages of clients, answers, and who follows which run. All state is in the stores."""
