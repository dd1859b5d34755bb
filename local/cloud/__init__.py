"""The local cloud: ministack as a process, its clients, and the template's resources in it."""
