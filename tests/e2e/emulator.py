"""All that is different because ministack is not AWS. Nothing else knows of it, the template least of all."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venvs/cloud/bin/python"
"""It runs functions in this interpreter, on this processor, whatever they say themselves: layers are built for both."""

ACCESS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
"""Its administrator. Functions get credentials of their roles, whose policies it enforces."""

PARAMETERS = {"ResponseMode": "buffered"}
"""It answers 500 where an integration streams."""


def runtime() -> str:
    """The Python that functions run on."""
    program = "import sys; print('python%d.%d' % sys.version_info[:2])"
    return subprocess.run([PYTHON, "-c", program], check=True, capture_output=True, text=True).stdout.strip()


def add_component(built: Path, code: str) -> None:
    """Have the built components end with this code, and describe them again."""
    layers = built.parent
    components = layers / "ComponentsLayer" / "python"
    for compiled in components.glob("__pycache__/components.*"):
        compiled.unlink()
    with (components / "components.py").open("a") as module:
        module.write(code)
    path = f"{components}:{layers / 'AgentosLambdaLayer' / 'python'}"
    describe = (str(ROOT / ".venvs/local/bin/python"), "-m", "agentos_lambda.engine.components.build_manifest")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path}
    subprocess.run([*describe, "-o", str(components / "manifest.json")], check=True, env=environment)


def adapt(built: Path, *, endpoint: str, bedrock: str) -> Path:
    """A copy of a built template with what the emulator needs otherwise, beside it.

    Functions reach all services at ``endpoint``, but Bedrock, which the emulator has not, at ``bedrock``. The sweeper
    does not: it is nobody's run.
    """
    template = yaml_parse(built.read_text())
    resources = template["Resources"]
    _without_tls(resources)
    _read_from_the_imported_api(resources)
    _number_as_number(resources)
    _execute_where_it_is_asked(resources)
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Serverless::Function" and name != "SweeperFunction":
            variables = resource["Properties"]["Environment"]["Variables"]
            variables |= {"AWS_ENDPOINT_URL": endpoint, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock}
            if "JWT_ISSUER" in variables:
                variables["JWT_JWKS_URL"] = _keys_of_its_pool(endpoint)
    adapted = built.with_name("emulator.json")
    adapted.write_text(json.dumps(template))
    return adapted


def _without_tls(resources: dict[str, Any]) -> None:
    """It speaks plain HTTP, so what refuses that refuses everybody."""
    for policy in ("BucketPolicy", "RunsQueuePolicy"):
        [statement] = resources[policy]["Properties"]["PolicyDocument"]["Statement"]
        assert statement["Sid"] == "TlsOnly"
        del resources[policy]


def _read_from_the_imported_api(resources: dict[str, Any]) -> None:
    """It does not see these two in an imported definition, but as resources."""
    properties = resources["Api"]["Properties"]
    definition = properties["DefinitionBody"]
    properties["BinaryMediaTypes"] = definition["x-amazon-apigateway-binary-media-types"]
    for kind, answer in definition["x-amazon-apigateway-gateway-responses"].items():
        resources[f"Answer{kind.replace('_', '')}"] = {
            "Type": "AWS::ApiGateway::GatewayResponse",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ResponseType": kind,
                "StatusCode": answer["statusCode"],
                "ResponseParameters": answer["responseParameters"],
                "ResponseTemplates": answer["responseTemplates"],
            },
        }


def _keys_of_its_pool(endpoint: str) -> Any:
    """Its pools are issuers at an address of AWS, where it is not."""
    pool = {"Fn::Select": [3, {"Fn::Split": ["/", {"Ref": "JwtIssuer"}]}]}
    url = {"Fn::Join": ["/", [endpoint, pool, ".well-known/jwks.json"]]}
    return {"Fn::If": ["TakesTokens", url, {"Ref": "AWS::NoValue"}]}


def _number_as_number(resources: dict[str, Any]) -> None:
    """Its poller compares this with a number, but what comes from a parameter is text there."""
    queue = resources["WorkerFunction"]["Properties"]["Events"]["Queue"]["Properties"]
    queue["ScalingConfig"]["MaximumConcurrency"] = 2


def _execute_where_it_is_asked(resources: dict[str, Any]) -> None:
    """It cannot stream, but it waits as long as a stream takes: functions execute runs as where they stream."""
    resources["Api"]["Properties"]["Variables"] = {"responseMode": "streaming"}


def api_url(cloud: str, output: str) -> str:
    """Where the emulator serves what the stack's output names: ``https://ID.execute-api.…/STAGE``."""
    host, _, stage = output.removeprefix("https://").partition("/")
    return f"{cloud}/_aws/execute-api/{host.partition('.')[0]}/{stage}"


def websocket_url(cloud: str, output: str) -> str:
    """The same for ``wss://ID.execute-api.…/STAGE``."""
    return api_url(cloud, output.replace("wss://", "https://")).replace("http://", "ws://")
