"""What each function may do, and who may invoke it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from agno.models.utils import _PROVIDERS

from tests.stack.expected import GRANTS, READ_VARIABLES, Grant
from tests.stack.translation import FUNCTIONS, HTTP_FUNCTIONS, RUN_FUNCTIONS, RUNNING, source, translate

Stack = dict[str, dict[str, Any]]

SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:key-AbCdEf"
PROFILE = "eu.amazon.nova-lite-v1:0"
PROFILE_ARN = f"arn:${{AWS::Partition}}:bedrock:${{AWS::Region}}:${{AWS::AccountId}}:inference-profile/{PROFILE}"
TRACE = {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")}
"""X-Ray's actions cannot be limited to a resource."""
NOT_RUNNING = tuple(function for function in FUNCTIONS if function not in RUNNING)
NOVA = "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0"
LLAMA = "arn:aws:bedrock:us-east-1::foundation-model/meta.llama3-1-8b-instruct-v1:0"
EU_NOVA = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-pro-v1:0"
TOOL_POLICIES = [f"arn:aws:iam::123456789012:policy/tools/{name}" for name in ("bucket", "table", "queue", "topic")]
INVOKE = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream", "bedrock:CountTokens")
"""What the client of engine/models/bedrock_client.py asks of a model."""


def statements(stack: Stack, function: str) -> list[dict[str, Any]]:
    """Every statement of the function's role, inline or attached."""
    role = stack[stack[function]["Properties"]["Role"].removesuffix(".Arn")]["Properties"]
    documents = [policy["PolicyDocument"] for policy in role["Policies"]]
    documents += [stack[name]["Properties"]["PolicyDocument"] for name in role["ManagedPolicyArns"]]
    documents += [
        each["Properties"]["PolicyDocument"]
        for each in stack.values()
        if stack[function]["Properties"]["Role"].removesuffix(".Arn") in each["Properties"].get("Roles", ())
    ]
    return [statement for document in documents for statement in document["Statement"]]


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def grants(found: list[dict[str, Any]]) -> set[Grant]:
    assert all(statement["Effect"] == "Allow" for statement in found)
    assert all(not {"NotAction", "NotResource"} & statement.keys() for statement in found)
    return {
        (action, resource)
        for statement in found
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def log_and_trace(function: str) -> set[Grant]:
    group = function.replace("Function", "LogGroup")
    trace: set[Grant] = set() if function == "SweeperFunction" else TRACE
    return trace | {("logs:CreateLogStream", f"{group}.Arn"), ("logs:PutLogEvents", f"{group}.Arn")}


def test_each_function_has_a_role_of_its_own_that_only_lambda_assumes(stack: Stack) -> None:
    roles = {stack[function]["Properties"]["Role"].removesuffix(".Arn") for function in FUNCTIONS}
    assert len(roles) == len(FUNCTIONS)
    for role in roles:
        (trust,) = stack[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust == {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }


def test_roles_and_policies_have_the_boundary_and_the_path_that_an_account_requires(stack: Stack) -> None:
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    bound = translate(PermissionsBoundary=boundary, RolePath="/agents/")
    for before, after in ((stack[name], each) for name, each in bound.items() if each["Type"] == "AWS::IAM::Role"):
        assert (before["Properties"]["Path"], after["Properties"]["Path"]) == ("/", "/agents/")
        assert "PermissionsBoundary" not in before["Properties"]
        assert after["Properties"]["PermissionsBoundary"] == boundary
    policies = [each["Properties"] for each in bound.values() if each["Type"] == "AWS::IAM::ManagedPolicy"]
    assert {policy["Path"] for policy in policies} == {"/agents/"}


@pytest.mark.parametrize("path", ["/", "/agents/", "/a/b/"])
def test_a_path_of_roles_begins_and_ends_with_a_slash(path: str) -> None:
    assert accepts("RolePath", path)
    assert not accepts("RolePath", path + "x")
    assert not accepts("RolePath", "x" + path)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_what_it_does_and_nothing_else(stack: Stack, function: str) -> None:
    assert grants(statements(stack, function)) == GRANTS[function] | log_and_trace(function)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_use_each_table_queue_and_bucket_that_its_variables_name(stack: Stack, function: str) -> None:
    told = {
        value for value in stack[function]["Properties"]["Environment"]["Variables"].values() if is_data(stack, value)
    }
    taken_from = {
        source["Properties"]["EventSourceArn"].removesuffix(".Arn")
        for source in stack.values()
        if source["Type"] == "AWS::Lambda::EventSourceMapping" and source["Properties"]["FunctionName"] == function
    }
    used = {
        name
        for _, resource in grants(statements(stack, function))
        for name in re.findall(r"\w+", resource)
        if is_data(stack, name)
    }
    assert used == told | taken_from


def is_data(stack: Stack, name: Any) -> bool:
    kinds = ("AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::S3::Bucket")
    return name in stack and stack[name]["Type"] in kinds


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_statement_has_a_wildcard_except_for_traces_objects_and_connections(stack: Stack, function: str) -> None:
    for action, resource in grants(statements(stack, function)) - TRACE:
        assert "*" not in action
        objects = re.sub(r"\$\{Bucket\.Arn\}/((events|memories)/)?\*$", "", resource)
        assert "*" not in objects.removesuffix("/@connections/*")


@pytest.mark.parametrize("function", HTTP_FUNCTIONS)
def test_a_security_key_that_is_named_is_the_only_one_that_may_be_read(function: str) -> None:
    secrets = {
        resource
        for action, resource in grants(statements(translate(SecuritySecretArn=SECRET_ARN), function))
        if action.startswith("secretsmanager:")
    }
    variables = {resource for _, resource in READ_VARIABLES} if function in RUNNING else set()
    assert secrets == {SECRET_ARN} | variables


@pytest.mark.parametrize("function", FUNCTIONS)
def test_without_a_bedrock_model_nothing_may_invoke_one(stack: Stack, function: str) -> None:
    assert not any(action.startswith("bedrock:") for action, _ in grants(statements(stack, function)))


def accepts(parameter: str, value: str) -> bool:
    return re.search(source()["Parameters"][parameter]["AllowedPattern"], value) is not None


@pytest.mark.parametrize(
    "origins",
    [
        "",
        "https://example.com",
        "HTTPS://Example.com:443/",
        "https://*.example.com,http://localhost:3000",
        "https://*.example.com,https://*.example.org:8443",
    ],
)
def test_origins_are_accepted_as_people_write_them(origins: str) -> None:
    assert accepts("CorsOrigins", origins)


@pytest.mark.parametrize("origins", ["*", "https://*", "example.com", "https://a.b, https://c.d", "loopback"])
def test_what_is_no_list_of_origins_is_refused(origins: str) -> None:
    assert not accepts("CorsOrigins", origins)


def test_a_secret_is_named_by_its_whole_arn_since_a_role_allows_no_other() -> None:
    assert accepts("SecuritySecretArn", SECRET_ARN)
    assert not accepts("SecuritySecretArn", SECRET_ARN.removesuffix("-AbCdEf"))


@pytest.mark.parametrize("provider", [provider for provider in _PROVIDERS if provider != "aws-bedrock"])
def test_the_stacks_model_may_be_of_every_provider(provider: str) -> None:
    assert accepts("Model", f"{provider}:org/some-model.5@eu")
    assert accepts("Model", f"aws-bedrock:{PROFILE}")
    assert accepts("Model", "demo")


@pytest.mark.parametrize("model", ["aws-bedrock:", "aws-bedrock:*", "openai:", "openai:gpt 5", ":gpt", "Demo", ""])
def test_a_model_that_no_provider_or_no_role_knows_is_refused(model: str) -> None:
    assert not accepts("Model", model)


def test_a_model_of_another_provider_lets_nothing_invoke_a_model_of_bedrock() -> None:
    found = statements(translate(Model="openai:gpt-5-mini"), "AgentsFunction")
    direct = grants([statement for statement in found if "Condition" not in statement])
    assert {resource.rpartition("/")[2] for action, resource in direct if action.startswith("bedrock:")} == {"none"}
    [through_profiles] = [statement for statement in found if "Condition" in statement]
    [profile] = through_profiles["Condition"]["StringEquals"].values()
    assert profile.endswith("inference-profile/none")


@pytest.mark.parametrize("function", [*RUN_FUNCTIONS, "WorkerFunction"])
def test_what_runs_components_may_invoke_the_bedrock_model_that_is_named_or_its_profile(function: str) -> None:
    found = statements(translate(Model=f"aws-bedrock:{PROFILE}"), function)
    direct = grants([statement for statement in found if "Condition" not in statement])
    assert {grant for grant in direct if grant[0].startswith("bedrock:")} == {
        (action, resource)
        for action in INVOKE
        for resource in (f"arn:${{AWS::Partition}}:bedrock:${{AWS::Region}}::foundation-model/{PROFILE}", PROFILE_ARN)
    }


@pytest.mark.parametrize("function", [*RUN_FUNCTIONS, "WorkerFunction"])
def test_the_models_of_a_profile_may_be_invoked_through_that_profile_only(function: str) -> None:
    found = statements(translate(Model=f"aws-bedrock:{PROFILE}"), function)
    (statement,) = [statement for statement in found if "Condition" in statement]
    assert grants([statement]) == {(action, "arn:${AWS::Partition}:bedrock:*::foundation-model/*") for action in INVOKE}
    assert statement["Condition"] == {"StringEquals": {"bedrock:InferenceProfileArn": PROFILE_ARN}}


@pytest.mark.parametrize("function", RUNNING)
def test_what_runs_components_may_invoke_exactly_the_models_that_they_name(function: str) -> None:
    found = statements(translate(BedrockModels=f"{NOVA},{LLAMA}", BedrockProfiles=EU_NOVA), function)
    invoking = [statement for statement in found if "bedrock:InvokeModel" in statement["Action"]]
    direct, through_profiles = invoking[:-1], invoking[-1]

    assert grants(direct) == {(action, arn) for action in INVOKE for arn in (NOVA, LLAMA, EU_NOVA)}
    assert grants([through_profiles]) == {
        (action, "arn:${AWS::Partition}:bedrock:*::foundation-model/*") for action in INVOKE
    }
    assert through_profiles["Condition"] == {"StringEquals": {"bedrock:InferenceProfileArn": [EU_NOVA]}}


@pytest.mark.parametrize("parameter", ["BedrockModels", "BedrockProfiles"])
def test_models_are_arns_without_wildcards(parameter: str) -> None:
    assert accepts(parameter, "")
    assert accepts(parameter, f"{NOVA},{EU_NOVA}")
    for refused in ("amazon.nova-lite-v1:0", f"{NOVA},", f"{NOVA}*", NOVA.replace("bedrock", "s3")):
        assert not accepts(parameter, refused)


@pytest.mark.parametrize("function", NOT_RUNNING)
def test_what_runs_no_component_may_not_invoke_a_model_nor_read_the_components_variables(function: str) -> None:
    stack = translate(Model=f"aws-bedrock:{PROFILE}", BedrockModels=NOVA, BedrockProfiles=EU_NOVA)
    found = grants(statements(stack, function))
    assert not any(action.startswith("bedrock:") for action, _ in found)
    assert not found & READ_VARIABLES
    assert "COMPONENTS_SECRET" not in stack[function]["Properties"]["Environment"]["Variables"]


def attached(stack: Stack, function: str) -> list[str]:
    policies: list[str] = stack[stack[function]["Properties"]["Role"].removesuffix(".Arn")]["Properties"][
        "ManagedPolicyArns"
    ]
    return policies


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_tools_policies_are_attached_to_what_runs_components_only(stack: Stack, function: str) -> None:
    more = attached(translate(ToolPolicies=",".join(TOOL_POLICIES)), function)

    assert more == attached(stack, function) + (TOOL_POLICIES if function in RUNNING else [])
    assert len(more) <= 10  # the quota of an account that asked for no other
    assert "" not in more


def test_a_tools_policies_are_arns_of_policies() -> None:
    assert accepts("ToolPolicies", ",".join(TOOL_POLICIES))
    for refused in ("AdministratorAccess", f"{TOOL_POLICIES[0]},", f"{TOOL_POLICIES[0]}, {TOOL_POLICIES[1]}"):
        assert not accepts("ToolPolicies", refused)


def permissions(stack: Stack, function: str) -> list[dict[str, Any]]:
    return [
        resource["Properties"]
        for resource in stack.values()
        if resource["Type"] == "AWS::Lambda::Permission" and resource["Properties"]["FunctionName"] == function
    ]


@pytest.mark.parametrize("function", HTTP_FUNCTIONS)
def test_only_the_stage_of_this_api_may_invoke_a_function_of_it(stack: Stack, function: str) -> None:
    assert permissions(stack, function) == [
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": function,
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/v1/*",
        }
    ]


def test_only_lambda_itself_invokes_the_worker(stack: Stack) -> None:
    assert permissions(stack, "WorkerFunction") == []


def test_only_the_stage_of_the_websocket_api_may_invoke_its_function(stack: Stack) -> None:
    assert permissions(stack, "WebSocketFunction") == [
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": "WebSocketFunction",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${WebSocketApi}/v1/*",
        }
    ]


def test_only_its_own_schedule_invokes_the_sweeper(stack: Stack) -> None:
    assert permissions(stack, "SweeperFunction") == [
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": "SweeperFunction",
            "Principal": "events.amazonaws.com",
            "SourceArn": "SweeperFunctionEveryMinute.Arn",
        }
    ]
