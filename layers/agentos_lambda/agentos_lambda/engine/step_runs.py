"""The runs of a workflow's steps, told right.

agno 3.1 leaves the generator of a streamed step unfinished when it has the step's result; when it is closed later, the
step's run takes it for a cancellation. The step's result knows better. And a run that paused and went on is listed
twice.
"""

from __future__ import annotations

from collections.abc import Iterator

from agentos_lambda.protocol.values import Json, JsonObject


def with_true_statuses(workflow: JsonObject) -> JsonObject:
    """A workflow's run, or its event, with each step's run once, and COMPLETED for each that did complete."""
    runs = workflow.get("step_executor_runs")
    if not runs:
        return workflow
    completed = set(_completed(workflow.get("step_results")))
    once = {run.get("run_id"): run for run in runs}
    return {**workflow, "step_executor_runs": [_true(run, completed) for run in once.values()]}


def _completed(results: Json) -> Iterator[str]:
    """The ids of the runs whose steps succeeded, at any depth."""
    if isinstance(results, list):
        for result in results:
            yield from _completed(result)
    elif isinstance(results, dict):
        if results.get("success") and results.get("step_run_id"):
            yield results["step_run_id"]
        yield from _completed(results.get("steps"))


def _true(run: JsonObject, completed: set[str]) -> JsonObject:
    asked_to_stop = run.get("cancellation_stage") is not None
    if run.get("status") != "CANCELLED" or asked_to_stop or run.get("run_id") not in completed:
        return run
    return {**run, "status": "COMPLETED"}
