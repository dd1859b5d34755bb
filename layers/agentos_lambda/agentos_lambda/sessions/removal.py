"""Removes what deleted sessions held: in steps of bounded length, each of which may be repeated or come twice."""

from __future__ import annotations

import logging
from functools import partial

from agentos_lambda.runs.catalog import Catalog
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import NotFound, StoreUnavailable
from agentos_lambda.runs.fan_out import FanOut
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.service import RunService
from agentos_lambda.sessions.expiry import SETTLED_AFTER_MS
from agentos_lambda.sessions.model import BuriedRun, Deletion
from agentos_lambda.sessions.ports import DeletionQueue, DeletionStore

log = logging.getLogger(__name__)

RUNS_A_STEP = 100
"""Runs that a step removes at most: some seconds."""
CANCELS_A_STEP = 500
"""Runs whose ids a step adds to the message, which has room for some thousands."""
_MAX_RACES = 5
"""How often a session may be written to while a step deletes it."""
NEXT_LOOK_SECONDS = 10
"""How long a step that has nothing left to remove waits for runs that are being cancelled."""
NOTE_LIFETIME_MS = 7 * 24 * 3_600_000
"""How long the note of a deletion stays after it is done: longer than any accepted run may take to end."""


class SessionRemoval:
    """Carries out deletions."""

    def __init__(
        self,
        store: DeletionStore,
        runs: RunService,
        catalog: Catalog,
        queue: DeletionQueue,
        clock: Clock,
        *,
        fan_out: FanOut | None = None,
    ) -> None:
        """``fan_out``: the executor's, for runs that are cancelled here before a worker takes them."""
        self._store = store
        self._runs = runs
        self._catalog = catalog
        self._queue = queue
        self._clock = clock
        self._fan_out = fan_out

    def step(self, deletion: Deletion) -> None:
        """Do a part of what is left, and have the queue deliver the rest.

        If it raises, nothing is lost: the same step has to be done again.
        """
        session_id, until = deletion.session_id, deletion.deleted_at
        if not self._is_buried(deletion):
            log.info("the session lives on", extra={"session_id": session_id})
            return
        active = self._newly_active(deletion)
        if active:
            # Before they are cancelled: once they have ended, nothing but the message knows of them.
            self._queue.send_deletion(deletion.after([*deletion.cancelled, *active]))
            return
        ending = [run_id for run_id in deletion.cancelled if not self._cancelled_and_removed(run_id, deletion)]
        buried = self._store.buried_runs(session_id, until=until, limit=RUNS_A_STEP)
        kept = [run.run_id for run in buried if not self._store.remove_run(session_id, run)]
        ending = [*dict.fromkeys([*ending, *kept])]
        if len(buried) == RUNS_A_STEP and len(kept) < len(buried):
            self._queue.send_deletion(deletion.after(ending))
        elif ending or self._clock.now() < until + SETTLED_AFTER_MS:
            self._queue.send_deletion(deletion.after(ending), delay_seconds=NEXT_LOOK_SECONDS)
        else:
            self._store.remove_values(session_id, until=until, media=deletion.media)
            self._store.close(session_id, deleted_at=until, expires_at=self._clock.now() + NOTE_LIFETIME_MS)
            log.info("the session is removed", extra={"session_id": session_id})

    def _is_buried(self, deletion: Deletion) -> bool:
        """Whether the session is gone; if it is not, because the process that sent the message died, it is now. False
        for one that had expired and lives on."""
        session_id, until = deletion.session_id, deletion.deleted_at
        for _ in range(_MAX_RACES):
            session = self._store.bare(session_id, expired=True)
            if session is None or session.created_at > until:
                return True
            if deletion.expired and (session.expires_at != until or self._store.active_runs(session_id)):
                return False
            if self._store.bury(session_id, session, now=until):
                return True
        raise StoreUnavailable("The session changes too quickly.")

    def _newly_active(self, deletion: Deletion) -> list[str]:
        """The session's active runs that the message does not name yet."""
        unnamed = [
            run_id for run_id in self._store.active_runs(deletion.session_id) if run_id not in deletion.cancelled
        ]
        records = [self._store.get(run_id) for run_id in unnamed[:CANCELS_A_STEP]]
        return [record.run_id for record in records if record and record.accepted_at <= deletion.deleted_at]

    def _cancelled_and_removed(self, run_id: str, deletion: Deletion) -> bool:
        """Whether the run is gone; if not, it is being cancelled."""
        find = partial(self._run_of, run_id, deletion)
        try:
            record = self._runs.cancel_found(find, self._name_of(find()))
        except NotFound:
            self._store.remove_expired(run_id)  # it was removed before, if not to the end
            return True
        if self._fan_out is not None and not record.status.active:
            self._fan_out.ended(record)  # once it is removed, nobody can tell its followers
        return self._store.remove_run(deletion.session_id, BuriedRun(record.run_id, record.accepted_at))

    def _name_of(self, record: RunRecord) -> str:
        component = self._catalog.find(record.kind, record.component_id)
        return component.name if component is not None else record.component_id

    def _run_of(self, run_id: str, deletion: Deletion) -> RunRecord:
        """The run. Raises ``NotFound``, also if the id is another run's by now: a caller may have repeated its key."""
        record = self._store.get(run_id)
        if record is None or record.accepted_at > deletion.deleted_at:
            raise NotFound("Run not found")
        return record
