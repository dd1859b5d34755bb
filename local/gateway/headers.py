"""Headers that belong to one connection, which API Gateway passes on in neither direction.

https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
"""

HOP_BY_HOP = frozenset({"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"})
"""Names in lower case."""
