"""Processes of this machine: children that end with their parent, what only one stack may hold, an end by signal."""
