"""From the body of a request to a command: forms, JSON, multipart, uploads."""
