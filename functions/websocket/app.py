"""The function behind the WebSocket API: its routes, and the queue of connections that wait to be greeted."""

from agentos_lambda.aws.functions.websocket import websocket_handler

handler = websocket_handler()
