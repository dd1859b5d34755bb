from pathlib import Path

import pytest

from local.account import ACCOUNT_ID, REGION
from local.settings import CannotStart, InvalidTemplate
from local.template.document import Template
from local.template.intrinsics import Intrinsics, UnsupportedIntrinsic
from local.template.rest_api import Route
from local.template.triggers import QueueTrigger, ScheduleTrigger

TEMPLATE = Path(__file__).parent / "template.yaml"


@pytest.fixture(scope="module")
def template():
    return Template.load(TEMPLATE)


def test_functions_have_what_the_template_and_its_globals_say(template):
    agents = template.functions["AgentsFunction"]
    assert agents.code == TEMPLATE.parent / "toys"
    assert (agents.handler, agents.timeout_seconds, agents.memory) == ("app.handler", 900, 1024)
    assert agents.variables == {
        "SECURITY_KEY_SECRET": "Secret.Id",
        "LOG_LEVEL": "INFO",
        "RUNS_TABLE": "RunsTable",
        "EVENTS_TABLE": "RunEventsTable",
        "BUCKET": "agentos-local-bucket",
        "AWS_LAMBDA_EXEC_WRAPPER": "/opt/bin/stream-wrapper",
    }


def test_routes_lead_to_functions(template):
    agents = {"GET": "AgentsFunction", "POST": "AgentsFunction", "OPTIONS": "AgentsFunction"}
    assert Route("/agents/{proxy+}", agents) in template.routes
    assert Route("/health", {"GET": "ConfigFunction"}) in template.routes


def test_a_value_that_the_template_does_not_allow_is_refused():
    with pytest.raises(CannotStart, match="ResponseMode=bufered: it is one of streaming, switching, buffered"):
        Template.load(TEMPLATE, {"ResponseMode": "bufered"})


def test_the_stage_says_which_mode_it_is_in(template):
    assert template.stage_variables == {"responseMode": "streaming"}
    assert Template.load(TEMPLATE, {"ResponseMode": "buffered"}).stage_variables == {"responseMode": "buffered"}


def test_the_functions_that_stream_are_those_of_the_response_mode(template):
    assert template.streaming == {"AgentsFunction"}
    assert Template.load(TEMPLATE, {"ResponseMode": "buffered"}).streaming == set()


def test_a_function_that_streams_on_some_routes_only_is_an_error(tmp_path):
    mixed = tmp_path / "template.yaml"
    other = "/agents/{proxy+}: {get: {x-amazon-apigateway-integration: {uri: functions/AgentsFunction}}}"
    mixed.write_text(
        TEMPLATE.read_text().replace("/agents/{proxy+}: {get: *agents, post: *agents, options: *agents}", other)
    )
    with pytest.raises(InvalidTemplate, match="the routes to AgentsFunction have integrations that differ"):
        Template.load(mixed)


@pytest.mark.parametrize("sibling", ["/agents/{agent_id}", "/agents/{agent_id}/runs"])
def test_a_second_variable_path_part_among_siblings_is_an_error_as_it_is_to_api_gateway(tmp_path, sibling):
    refused = tmp_path / "template.yaml"
    resource = "          /agents/{proxy+}:"
    refused.write_text(TEMPLATE.read_text().replace(resource, f"          {sibling}: {{get: *agents}}\n{resource}"))
    with pytest.raises(InvalidTemplate, match=r"/agents has two variable path parts: \{agent_id\} and \{proxy\+\}"):
        Template.load(refused)


def test_binary_types_tables_and_buckets_are_those_of_the_template(template):
    assert template.binary_types == {"multipart/form-data"}
    assert set(template.tables) == {"RunsTable", "RunEventsTable"}
    assert template.tables["RunEventsTable"]["TimeToLiveSpecification"]["AttributeName"] == "expires_at"
    assert template.buckets == ("agentos-local-bucket",)


def test_functions_are_triggered_by_queues_and_schedules(template):
    assert template.queue_triggers == (QueueTrigger("WorkerFunction", "RunsQueue", batch=1, at_once=2),)
    assert template.schedule_triggers == (ScheduleTrigger("SweeperFunction"),)
    assert set(template.queues) == {"RunsQueue", "DeadLetterQueue"}
    url = template.functions["WorkerFunction"].variables["QUEUE_URL"]
    assert url == f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT_ID}/RunsQueue"


def test_a_trigger_by_an_unknown_queue_is_an_error(tmp_path):
    broken = tmp_path / "template.yaml"
    broken.write_text(TEMPLATE.read_text().replace("Queue: !GetAtt RunsQueue.Arn", "Queue: !GetAtt Nothing.Arn"))
    with pytest.raises(InvalidTemplate, match=r"WorkerFunction: Nothing\.Arn"):
        Template.load(broken)


def test_a_route_to_nowhere_is_an_error(tmp_path):
    broken = tmp_path / "template.yaml"
    broken.write_text(TEMPLATE.read_text().replace("functions/${TeamsFunction.Arn}", "functions/${Nobody.Arn}"))
    with pytest.raises(InvalidTemplate, match="GET /teams"):
        Template.load(broken)


def test_a_template_without_an_api_is_an_error(tmp_path):
    empty = tmp_path / "template.yaml"
    empty.write_text("Resources: {}")
    with pytest.raises(InvalidTemplate, match="0 found"):
        Template.load(empty)


def test_a_missing_template_is_reported(tmp_path):
    with pytest.raises(InvalidTemplate, match="no such template"):
        Template.load(tmp_path / "template.yaml")


INTRINSICS = Intrinsics(
    {
        "Parameters": {"Mode": {"Default": "on"}, "Limit": {"Type": "Number", "Default": 0}, "Empty": {}},
        "Conditions": {
            "NoLimit": {"Fn::Equals": [{"Ref": "Limit"}, "0"]},
            "On": {"Fn::Equals": [{"Ref": "Mode"}, "on"]},
            "Off": {"Fn::Not": [{"Condition": "On"}]},
            "Both": {"Fn::And": [{"Condition": "On"}, {"Condition": "Off"}]},
            "Either": {"Fn::Or": [{"Condition": "On"}, {"Condition": "Off"}]},
        },
    },
    {"Bucket": "the-bucket"},
)


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Ref": "Mode"}, "on"),
        ({"Ref": "Empty"}, ""),
        ({"Ref": "Bucket"}, "the-bucket"),
        ({"Ref": "Table"}, "Table"),
        ({"Fn::If": ["On", 1, 2]}, 1),
        ({"Fn::If": ["Both", 1, 2]}, 2),
        ({"Fn::If": ["Either", 1, 2]}, 1),
        ({"Fn::If": ["Off", 1, 2]}, 2),
        ({"Fn::If": ["NoLimit", 1, 2]}, 1),
        ({"Fn::Select": [1, {"Fn::Split": [":", "a:b"]}]}, "b"),
        ({"Fn::GetAtt": ["Table", "Arn"]}, "Table.Arn"),
        ({"Fn::GetAtt": "Table.Arn"}, "Table.Arn"),
        ({"Fn::Sub": "${AWS::Partition}/${Mode}/${Table.Arn}/${!Literal}"}, "aws/on/Table.Arn/${!Literal}"),
        ({"Fn::Sub": ["${X}-${Mode}", {"X": {"Ref": "Bucket"}}]}, "the-bucket-on"),
        ({"kept": {"Ref": "Mode"}, "dropped": {"Ref": "AWS::NoValue"}}, {"kept": "on"}),
        ([1, {"Ref": "AWS::NoValue"}, {"Fn::If": ["Off", 2, {"Ref": "AWS::NoValue"}]}], [1]),
        ({"Only": "one"}, {"Only": "one"}),
    ],
)
def test_intrinsic_functions_are_resolved(value, resolved):
    assert INTRINSICS.resolve(value) == resolved


def test_an_unknown_function_is_an_error():
    with pytest.raises(UnsupportedIntrinsic, match="Fn::ImportValue"):
        INTRINSICS.resolve({"deep": [{"Fn::ImportValue": "x"}]})
