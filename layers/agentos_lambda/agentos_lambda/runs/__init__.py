"""What a run is: its record, its lifecycle, its execution, and what its stores and its engine must do.

Nothing here imports boto3, agno or FastAPI: stores and engine come in through the Protocols of ``ports``.
"""
