"""How a run ends that nobody executes: it waited, or its executor has died."""

from __future__ import annotations

from agentos_lambda.runs.errors import SessionTaken
from agentos_lambda.runs.model import Ending, RunRecord
from agentos_lambda.runs.ports import Store


def commit_idle_ending(store: Store, ending: Ending) -> RunRecord:
    """Commit the ending; in the record and the log only, where the session has become another user's meanwhile.

    Raises what ``Store.commit`` does, but ``SessionTaken``.
    """
    try:
        return store.commit(ending)
    except SessionTaken:
        return store.commit_without_session(ending)
