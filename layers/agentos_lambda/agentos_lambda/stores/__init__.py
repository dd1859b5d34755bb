"""Implements the Protocols of ``runs.ports`` and ``websocket.ports`` on AWS and in memory.

``clients`` makes the AWS clients, ``retries`` sends every request except posts to connections. boto3 is imported when
the first client is made, and nowhere else except for a model on Bedrock (``engine.models.bedrock``).
"""
