"""A run's events on their way to the connections that follow it."""
