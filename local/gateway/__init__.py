"""API Gateway: HTTP requests and WebSocket messages become events of functions, their answers become responses."""
