"""Events as API Gateway sends them."""

from local.gateway.api_event import HttpRequest, Stage, build_event
from local.gateway.routing import Match


def request_event(target, *, method="GET", headers=(), body=b"", stage_variables=None):
    path, _, query = target.partition("?")
    request = HttpRequest(
        method=method,
        path=path,
        query=query,
        headers=[("Host", "api.example.com"), *headers],
        body=body,
        source_ip="192.0.2.1",
        protocol="HTTP/1.1",
    )
    match = Match("Agents", "/agents/{proxy+}", {"proxy": path.removeprefix("/agents/")})
    return build_event(request, match, Stage(443, frozenset({"multipart/form-data"}), stage_variables or {}))
