"""Runtime, environment and layers of each function."""

from __future__ import annotations

from typing import Any

import pytest

from agentos_lambda.aws.jwt_settings import JwtSettings
from tests.stack.expected import BOUNDS, EVERYWHERE, LAYERS, MEMORY, RESERVED, TIMEOUTS, TOKENS, VARIABLES
from tests.stack.translation import FUNCTIONS, HTTP_FUNCTIONS, RUN_FUNCTIONS, RUNNING, source, translate

Stack = dict[str, dict[str, Any]]


def environment(stack: Stack, function: str) -> dict[str, Any]:
    return stack[function]["Properties"]["Environment"]["Variables"]


def layers(stack: Stack, function: str) -> list[str]:
    """Layers without the hash that is part of a layer's logical id."""
    return [layer[: layer.index("Layer")] for layer in stack[function]["Properties"]["Layers"]]


def test_a_first_deployment_needs_no_parameter() -> None:
    assert all("Default" in parameter for parameter in source()["Parameters"].values())


def test_every_parameter_is_described_and_stands_in_one_group() -> None:
    template = source()
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(template["Parameters"])
    assert all(parameter["Description"] for parameter in template["Parameters"].values())


def test_sam_local_finds_a_function_before_any_other_kind_of_api() -> None:
    assert next(iter(source()["Resources"].values()))["Type"] == "AWS::Serverless::Function"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_takes_its_source_from_its_own_folder(function: str) -> None:
    name = function.removesuffix("Function").lower()
    properties = source()["Resources"][function]["Properties"]
    assert properties["CodeUri"] == f"functions/{name}"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_and_layers_agree_on_processor_and_python(function: str) -> None:
    stack = translate(Architecture="x86_64", Runtime="python3.14")
    properties = stack[function]["Properties"]
    assert (properties["Architectures"], properties["Runtime"]) == (["x86_64"], "python3.14")
    for name in layers(stack, function):
        layer = stack[f"{name}Layer"]["Properties"]
        assert (layer["CompatibleArchitectures"], layer["CompatibleRuntimes"]) == (["x86_64"], ["python3.14"])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_knows_what_it_needs_and_nothing_else(stack: Stack, function: str) -> None:
    variables = environment(stack, function)
    assert variables.keys() == EVERYWHERE | VARIABLES[function].keys()
    assert variables.items() >= VARIABLES[function].items()


def test_the_worker_runs_in_our_own_loop_in_both_modes(stack: Stack, buffered_stack: Stack) -> None:
    for variables in (environment(stack, "WorkerFunction"), environment(buffered_stack, "WorkerFunction")):
        assert variables["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/bin/stream-wrapper"


@pytest.mark.parametrize("function", RUNNING)
def test_components_are_imported_at_the_start_of_what_executes_runs(function: str) -> None:
    buffered = "at-start" if function == "WorkerFunction" else "at-first-run"
    for mode, expected in {"streaming": "at-start", "switching": buffered, "buffered": buffered}.items():
        assert environment(translate(ResponseMode=mode), function)["LOAD_COMPONENTS"] == expected
    assert environment(translate(LoadComponents="at-first-run"), function)["LOAD_COMPONENTS"] == "at-first-run"


@pytest.mark.parametrize("function", RUN_FUNCTIONS)
def test_a_thousand_runs_may_wait_unless_another_limit_is_set(stack: Stack, function: str) -> None:
    assert environment(stack, function)["QUEUE_LIMIT"] == 1000
    assert environment(translate(QueueLimit="100"), function)["QUEUE_LIMIT"] == "100"
    assert "QUEUE_LIMIT" not in environment(translate(QueueLimit="0"), function)


def test_conditions_compare_texts_because_that_is_what_parameters_are_to_cloudformation() -> None:
    def compared(node: Any) -> list[Any]:
        if isinstance(node, list):
            return [each for part in node for each in compared(part)]
        if not isinstance(node, dict):
            return []
        return [each for key, part in node.items() for each in (part if key == "Fn::Equals" else compared(part))]

    values = compared(list(source()["Conditions"].values()))
    assert values
    assert all(isinstance(value, str | dict) for value in values)


@pytest.mark.parametrize("function", HTTP_FUNCTIONS)
def test_a_function_of_the_api_is_never_without_a_key(stack: Stack, function: str) -> None:
    assert environment(stack, function)["SECURITY_KEY_SECRET"] == "SecuritySecret.Id"
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:key-AbCdEf"
    assert environment(translate(SecuritySecretArn=arn), function)["SECURITY_KEY_SECRET"] == arn


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_model_is_the_demo_model_unless_another_is_named(stack: Stack, function: str) -> None:
    assert environment(stack, function)["AGENTOS_MODEL"] == "demo"
    assert environment(translate(Model="aws-bedrock:amazon.nova-lite-v1:0"), function)["AGENTOS_MODEL"] == (
        "aws-bedrock:amazon.nova-lite-v1:0"
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_the_layers_that_it_needs(stack: Stack, function: str) -> None:
    assert layers(stack, function) == LAYERS[function]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_its_own_memory_and_time(stack: Stack, function: str) -> None:
    properties = stack[function]["Properties"]
    assert (properties["MemorySize"], properties["Timeout"]) == (MEMORY[function], TIMEOUTS[function])
    raised = translate(RunMemory="2048")[function]["Properties"]["MemorySize"]
    assert raised == ("2048" if function in RUNNING else MEMORY[function])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_the_expected_bound_of_concurrency(stack: Stack, function: str) -> None:
    sources = [
        each["Properties"]
        for each in stack.values()
        if each["Type"] == "AWS::Lambda::EventSourceMapping" and each["Properties"]["FunctionName"] == function
    ]
    bounds = [source["ScalingConfig"]["MaximumConcurrency"] for source in sources if "ScalingConfig" in source]
    reserved = stack[function]["Properties"].get("ReservedConcurrentExecutions")
    assert (bounds or [reserved]) == [BOUNDS[function]]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_once_runs_are_capped_what_is_never_behind_them_has_concurrency_of_its_own(function: str) -> None:
    values = {"RunConcurrency": "50", "ControlConcurrency": "10"}
    reserved = translate(**values)[function]["Properties"].get("ReservedConcurrentExecutions")
    assert reserved == values.get(str(RESERVED[function]), RESERVED[function])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_logs_to_a_group_of_its_own_that_expires(stack: Stack, function: str) -> None:
    group = stack[function]["Properties"]["LoggingConfig"]["LogGroup"]
    assert group == function.replace("Function", "LogGroup")
    assert stack[group]["Properties"]["RetentionInDays"] == 30


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_logs_json_and_is_traced_unless_it_only_sweeps(stack: Stack, function: str) -> None:
    properties = stack[function]["Properties"]
    assert properties["LoggingConfig"]["LogFormat"] == "JSON"
    assert properties["TracingConfig"] == {"Mode": "PassThrough" if function == "SweeperFunction" else "Active"}


@pytest.mark.parametrize(
    ("level", "passed_from"), [("DEBUG", "DEBUG"), ("INFO", "INFO"), ("WARNING", "INFO"), ("ERROR", "INFO")]
)
def test_lambda_passes_on_what_a_function_logs_and_its_metrics_at_every_level(level: str, passed_from: str) -> None:
    stack = translate(LogLevel=level)
    levels = {stack[function]["Properties"]["LoggingConfig"]["ApplicationLogLevel"] for function in FUNCTIONS}
    assert levels == {passed_from}  # a line without a level, such as a metric, counts as INFO


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    "parameters", [{"JwtIssuer": TOKENS["JWT_ISSUER"], "JwtAudience": "agentos"}, {"JwtVerificationKey": "-----BEGIN"}]
)
def test_functions_that_clients_call_take_tokens_where_an_issuer_or_a_key_is_named(
    function: str, parameters: dict[str, str]
) -> None:
    stack = translate(**parameters)
    given = {"JWT_ISSUER": "", "JWT_AUDIENCE": ""} | {
        {"JwtIssuer": "JWT_ISSUER", "JwtAudience": "JWT_AUDIENCE", "JwtVerificationKey": "JWT_VERIFICATION_KEY"}[
            name
        ]: value
        for name, value in parameters.items()
    }
    called = function in (*HTTP_FUNCTIONS, "WebSocketFunction")
    variables = VARIABLES[function] | ((TOKENS | given) if called else {})
    assert environment(stack, function).keys() == EVERYWHERE | variables.keys()
    assert environment(stack, function).items() >= variables.items()
    assert layers(stack, function) == LAYERS[function] + (["Identity"] if called else [])


def test_the_variables_of_tokens_are_those_that_are_read() -> None:
    issuer = {name: value for name, value in TOKENS.items() if value}
    settings = JwtSettings.from_environment(issuer)
    assert settings == JwtSettings(issuer="https://issuer.example", audiences=frozenset({"agentos"}))
    changed = JwtSettings.from_environment({name: CHANGED.get(name, value) for name, value in issuer.items()})
    assert changed == JwtSettings(
        issuer="https://issuer.example",
        audiences=frozenset({"a", "b"}),
        algorithms=("ES256", "RS256"),
        audience_claim="client_id",
        scopes_claim="scope",
        expiry_required=False,
        takes_key=True,
        isolates_users=False,
    )


CHANGED = {
    "JWT_AUDIENCE": "a, b",
    "JWT_AUDIENCE_CLAIM": "client_id",
    "JWT_ALGORITHMS": "ES256,RS256",
    "JWT_SCOPES_CLAIM": "scope",
    "JWT_REQUIRE_EXPIRY": "off",
    "AUTH_MODE": "both",
    "USER_ISOLATION": "off",
}
