"""From an event to what answers it: HTTP, queue and WebSocket."""
