"""The template as CloudFormation gets it: translated from SAM, and resolved for given parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]

from local.template.parse import parse

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"

_ABSENT = object()


@cache
def source() -> dict[str, Any]:
    """The template as it is written, with its anchors resolved. Read only."""
    template: dict[str, Any] = parse(TEMPLATE.read_text())
    return template


def cloudformation(**parameters: str) -> dict[str, Any]:
    """The template as SAM hands it to CloudFormation."""
    return translated({}, **parameters)


def translated(changes: Mapping[str, Any], **parameters: str) -> dict[str, Any]:
    """The same of the template with changes, whose objects are merged into its own."""
    template = json.loads(json.dumps(source()))  # as `sam build` does, which writes out what anchors share
    _merge(template, changes)
    values = {name: declared["Default"] for name, declared in template["Parameters"].items()} | parameters
    for resource in template["Resources"].values():
        for uri in {"CodeUri", "ContentUri"} & resource["Properties"].keys():
            resource["Properties"][uri] = "s3://bucket/key"
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="eu-west-1"))
    result: dict[str, Any] = translator.translate(template, values)
    return result


def _merge(target: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            target[key] = value


@cache
def translate(**parameters: str) -> dict[str, dict[str, Any]]:
    """The stack's resources by their logical id (that of a layer: without the hash that SAM appends). Read only.

    References to parameters, and conditions, are resolved; what is known to CloudFormation only is left as it is,
    except that ``Fn::GetAtt`` becomes ``Resource.Attribute``, and ``Ref`` and ``Fn::Sub`` their text.
    """
    template = cloudformation(**parameters)
    values = {name: declared["Default"] for name, declared in template["Parameters"].items()} | parameters
    conditions: dict[str, bool] = {}
    resolve = partial(_resolve, values=values, conditions=conditions)
    conditions |= {name: resolve(condition) for name, condition in template["Conditions"].items()}
    return {
        _logical_id(name, resource["Type"]): resolve(resource)
        for name, resource in template["Resources"].items()
        if conditions.get(resource.get("Condition"), True)
    }


def _logical_id(name: str, kind: str) -> str:
    return name[: name.index("Layer") + len("Layer")] if kind == "AWS::Lambda::LayerVersion" else name


def _resolve(node: Any, *, values: dict[str, Any], conditions: dict[str, bool]) -> Any:
    resolve = partial(_resolve, values=values, conditions=conditions)
    if isinstance(node, list):
        return [value for value in map(resolve, node) if value is not _ABSENT]
    if not isinstance(node, dict):
        return node
    match [*node.items()]:
        case [("Ref", str(name))]:
            return _ABSENT if name == "AWS::NoValue" else values.get(name, name)
        case [("Fn::If", [str(condition), yes, no])]:
            return resolve(yes if conditions[condition] else no)
        case [(str(function), argument)] if function in _FUNCTIONS:
            return _FUNCTIONS[function](resolve(argument))
    resolved = {key: resolve(value) for key, value in node.items()}
    return {key: value for key, value in resolved.items() if value is not _ABSENT}


def _substitute(argument: str | list[Any]) -> str:
    if isinstance(argument, str):
        return argument
    text: str = argument[0]
    for name, value in argument[1].items():
        text = text.replace(f"${{{name}}}", value)
    return text


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "Fn::Equals": lambda pair: str(pair[0]) == str(pair[1]),
    "Fn::Not": lambda conditions: not conditions[0],
    "Fn::And": all,
    "Fn::Or": any,
    "Fn::Join": lambda argument: argument[0].join(argument[1]),
    "Fn::Select": lambda argument: argument[1][int(argument[0])],
    "Fn::Split": lambda argument: argument[1].split(argument[0]),
    "Fn::GetAtt": ".".join,
    "Fn::Sub": _substitute,
}


def _functions() -> tuple[str, ...]:
    """The functions, in the order of the template."""
    return tuple(name for name, each in source()["Resources"].items() if each["Type"] == "AWS::Serverless::Function")


def _called_by_the_api() -> tuple[str, ...]:
    """Those that the REST API has a route to."""
    paths = repr(source()["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"])
    called = set(re.findall(r"functions/\$\{(\w+)\.Arn\}", paths))
    return tuple(name for name in _functions() if name in called)


FUNCTIONS = _functions()
HTTP_FUNCTIONS = _called_by_the_api()
RUN_FUNCTIONS = ("AgentsFunction", "TeamsFunction", "WorkflowsFunction")
"""Those that start a run when they are asked to."""
RUNNING = (*RUN_FUNCTIONS, "WorkerFunction")
"""Those that execute runs."""
