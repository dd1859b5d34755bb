"""The local stack: the whole API on this machine, without docker and without an AWS account. README.md explains it."""
