"""What a client may decide about a paused run."""
