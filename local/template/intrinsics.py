"""CloudFormation's intrinsic functions, as far as our template uses them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from local.account import ACCOUNT_ID, REGION
from local.settings import CannotStart

_PSEUDO = {
    "AWS::AccountId": ACCOUNT_ID,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": "agentos-local",
    "AWS::URLSuffix": "amazonaws.com",
}
_NO_VALUE = object()


class UnsupportedIntrinsic(CannotStart):
    """The template uses an intrinsic function that the local stack does not know."""


class Intrinsics:
    """Resolves the values of one template. A parameter that ``parameters`` does not name has its default.

    A reference to a resource gives ``names["logical id"]``, a reference to its attribute
    ``names["logical id.attribute"]``. A reference that ``names`` does not have gives the key itself.
    """

    def __init__(
        self, template: Mapping[str, Any], names: Mapping[str, str], parameters: Mapping[str, str] | None = None
    ) -> None:
        defaults = {name: spec.get("Default", "") for name, spec in template.get("Parameters", {}).items()}
        self._parameters = {**defaults, **(parameters or {})}
        self._conditions = template.get("Conditions", {})
        self._names = names
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::If": self._if,
            "Fn::Equals": lambda pair: str(self.resolve(pair[0])) == str(self.resolve(pair[1])),
            "Fn::Not": lambda value: not self.resolve(value[0]),
            "Fn::And": lambda conditions: all(self.resolve(conditions)),
            "Fn::Or": lambda conditions: any(self.resolve(conditions)),
            "Fn::Select": lambda pair: self.resolve(pair[1])[int(self.resolve(pair[0]))],
            "Fn::Join": lambda pair: pair[0].join(self.resolve(pair[1])),
            "Fn::Split": lambda pair: self.resolve(pair[1]).split(pair[0]),
            "Fn::GetAtt": lambda path: self._ref(".".join(path) if isinstance(path, list) else path),
            "Fn::Sub": self._sub,
            "Condition": self._condition,
        }

    def resolve(self, value: Any) -> Any:
        """The value with every function in it applied. Raises ``UnsupportedIntrinsic``."""
        if isinstance(value, list):
            items = (self.resolve(item) for item in value)
            return [item for item in items if item is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(name, argument)] = value.items()
            if function := self._functions.get(name):
                return function(argument)
            if name.startswith("Fn::"):
                raise UnsupportedIntrinsic(f"the template uses {name}, which the local stack does not know")
        fields = {name: self.resolve(item) for name, item in value.items()}
        return {name: item for name, item in fields.items() if item is not _NO_VALUE}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        return _PSEUDO.get(name) or self._parameters.get(name, self._names.get(name, name))

    def _if(self, branches: list[Any]) -> Any:
        condition, then, otherwise = branches
        return self.resolve(then if self._condition(condition) else otherwise)

    def _condition(self, name: str) -> bool:
        return bool(self.resolve(self._conditions[name]))

    def _sub(self, argument: Any) -> str:
        text, variables = argument if isinstance(argument, list) else (argument, {})

        def value_of(match: re.Match[str]) -> str:
            name = match[1]
            return str(self.resolve(variables[name]) if name in variables else self._ref(name))

        return re.sub(r"\$\{([^!}]+)\}", value_of, text)
