"""The AgentOS API on AWS Lambda: runs of agno agents, teams and workflows on services billed per request.

A components file imports from here:

* ``default_model()``: the model that ``AGENTOS_MODEL`` names, or the demo model;
* ``DemoModel``: the demo model, which needs no network, for samples and tests;
* ``idempotency_key()``: within a tool, a key of this very call.

All import agno when they are first used. The package itself does not, so that functions which answer without the
engine start without it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentos_lambda.engine.models.default import default_model
    from agentos_lambda.engine.models.demo import DemoModel
    from agentos_lambda.engine.slices.idempotency import idempotency_key
else:
    from importlib import import_module

    _MODULES = {
        "DemoModel": "agentos_lambda.engine.models.demo",
        "default_model": "agentos_lambda.engine.models.default",
        "idempotency_key": "agentos_lambda.engine.slices.idempotency",
    }

    def __getattr__(name: str) -> object:
        """A public name, imported on first use (PEP 562)."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_MODULES[name]), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


__all__ = ["DemoModel", "__version__", "default_model", "idempotency_key"]

__version__ = "0.1.0"
