"""On the ``PYTHONPATH`` of processes that run components."""
