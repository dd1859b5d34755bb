"""The user's components while the stack runs: their sources as they were read, and what happens when they change."""
