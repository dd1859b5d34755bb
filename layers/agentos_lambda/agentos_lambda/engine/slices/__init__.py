"""Runs in slices: where agno can be stopped in the middle of a run, and how another process carries the run on."""
