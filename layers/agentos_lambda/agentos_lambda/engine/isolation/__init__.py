"""What keeps one run's code from the process and from other runs."""
