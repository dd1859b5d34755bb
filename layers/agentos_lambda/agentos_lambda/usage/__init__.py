"""What was used, by account and day."""
