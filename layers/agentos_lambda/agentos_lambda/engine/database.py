"""The database that agno sees during one run: answers from what was read before, keeps what the run leaves.

agno reads the session (several times), and saves the session and each run on its own: the run itself, each member's
run, and the same run again when its state changes. Nothing of this goes anywhere before the run's commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from copy import deepcopy
from operator import is_
from typing import Any

from agno.agent import Agent
from agno.db.base import SessionType
from agno.db.schemas.memory import UserMemory
from agno.run.agent import RunOutput
from agno.run.team import TeamRunOutput
from agno.session import AgentSession, TeamSession, WorkflowSession
from agno.team import Team

from agentos_lambda.engine.memories import RunMemories, as_agno, as_row
from agentos_lambda.engine.past_sessions import RunPastSessions
from agentos_lambda.engine.refusing_database import RefusingDatabase
from agentos_lambda.engine.stored_runs import as_stored, may_have_made
from agentos_lambda.engine.to_json import plain_object
from agentos_lambda.protocol.values import Json, JsonObject, Kind, RunStatus
from agentos_lambda.runs.memories import MemoryFilter, no_memories
from agentos_lambda.runs.model import RunOutput as StoredOutput
from agentos_lambda.runs.model import Session
from agentos_lambda.runs.session_fields import from_fields

DATABASE_ID = "agentos-lambda"
"""The database's name to clients (``db_id``)."""

AgnoSession = AgentSession | TeamSession | WorkflowSession

_SESSION_TYPES: dict[SessionType, type[AgnoSession]] = {
    SessionType.AGENT: AgentSession,
    SessionType.TEAM: TeamSession,
    SessionType.WORKFLOW: WorkflowSession,
}


_ENDED = {status.value for status in RunStatus if not status.active}

_ID_FIELDS = {Kind.AGENT: "agent_id", Kind.TEAM: "team_id", Kind.WORKFLOW: "workflow_id"}


class RunDatabase(RefusingDatabase):
    """One run's view of its session, and all that agno saved in its course."""

    def __init__(
        self,
        run_id: str,
        kind: Kind,
        component_id: str,
        session: Session | None,
        paused: StoredOutput | None = None,
        *,
        members: Sequence[JsonObject] = (),
        introduction: JsonObject | None = None,
        memories: RunMemories | None = None,
        past: RunPastSessions | None = None,
    ) -> None:
        """For a run of this component, in a session that was read before (None: a new one).

        ``paused``: what the run has left so far, where it goes on. ``members`` and ``introduction``: the runs that have
        worked for it so far, and that came before it, where it is carried on.
        """
        super().__init__(id=DATABASE_ID)
        self._run_id = run_id
        self.memories = memories or RunMemories(no_memories, None)
        self._past = past or RunPastSessions(None, None, "")
        self._loaded = _agno_session(session) if session else None
        # A session that another component has begun keeps the other's name; one of another kind has none here.
        self._own_type = _SESSION_TYPES[SessionType(kind)]
        self._id_field = _ID_FIELDS[kind]
        self._owners = {component_id, (self._loaded or {self._id_field: component_id}).get(self._id_field)}
        before = (*paused.members, paused.run) if paused else members
        self.introduction = paused.introduction if paused else introduction
        """The run in which the component has introduced itself before this one."""
        self._before = {run["run_id"]: run for run in before}
        self.session: JsonObject | None = None
        """The session as it was saved last, without its runs."""
        self.runs: dict[str, JsonObject] = {}
        """Each run as it was saved last since it started or went on, in the order in which they were saved first."""
        self._saved_fields: dict[str, Any] = {}
        """Of the run itself, as agno saved it last."""
        self.run_saved = asyncio.Event()
        """Set when the run itself has been saved as ended or paused."""
        self._closed = False
        self._parts: list[Agent | Team] = []

    def note_part(self, part: Agent | Team) -> None:
        """A part of what runs: of its runs is kept what it wants to have stored. It may get its id later."""
        self._parts.append(part)

    def makers(self, run: Any) -> list[Agent | Team]:
        """The parts that may have made this run of agno's."""
        return [part for part in self._parts if may_have_made(part, run)]

    def keep_no_more(self) -> None:
        """Keep nothing from now on: the run has stopped in its middle, and agno takes that for a cancel."""
        self._closed = True

    @property
    def run(self) -> JsonObject | None:
        """The run itself, as it was saved last."""
        return self.runs.get(self._run_id)

    def as_saved(self, run: Any) -> JsonObject | None:
        """The run itself as it was saved last, if agno has replaced nothing in it since then, nor put anything into it
        that is not to be stored. Writing it once more would give the same, but takes a twentieth of a run."""
        now, saved = vars(run), self._saved_fields
        unchanged = now.keys() == saved.keys() and all(
            value is saved[name] or _are_of_the_same(value, saved[name]) for name, value in now.items()
        )
        return self.run if unchanged else None

    @property
    def members(self) -> list[JsonObject]:
        """The runs that worked for the run, also before it paused, oldest first."""
        return [run for run in {**self._before, **self.runs}.values() if run.get("parent_run_id") is not None]

    async def get_session(
        self,
        session_id: str,
        session_type: SessionType | None = None,
        user_id: str | None = None,  # the owner of the run's own session was checked before it was read
        deserialize: bool | None = True,
        runs_limit: int | None = None,  # noqa: ARG002  the runs were limited when they were read
    ) -> AgnoSession | dict[str, Any] | None:
        """The session as it was read, and over it what was saved since; or an earlier one of the user, as it is. A
        fresh one for each call: agno changes it."""
        current = self.session or self._loaded
        if current is not None and session_id == current["session_id"]:
            introduced = [self.introduction] if self.introduction is not None else []
            runs = [*(self._loaded or {}).get("runs", ()), *introduced, *{**self._before, **self.runs}.values()]
            data: dict[str, Any] = deepcopy({**current, "runs": runs})
        else:
            past = await self._past.one(session_id, user_id)
            if past is None:
                return None
            data = deepcopy(_agno_session(past))
        return _SESSION_TYPES[session_type or SessionType.AGENT].from_dict(data) if deserialize else data

    async def get_sessions(  # type: ignore[override]  # the rest of what agno declares is refused
        self,
        session_type: SessionType | None = None,
        user_id: str | None = None,
        limit: int | None = None,
        **others: Any,
    ) -> list[AgnoSession]:
        """The newest sessions of the run's user, each with its first runs. Answers what agno asks, and refuses the
        rest."""
        if session_type is None or others != {"sort_by": "created_at", "sort_order": "desc"}:
            raise self._refuse("get_sessions")
        found = await self._past.newest(Kind(session_type.value), user_id, limit)
        read = [_SESSION_TYPES[session_type].from_dict(deepcopy(_agno_session(session))) for session in found]
        return [session for session in read if session is not None]

    async def upsert_session(
        self,
        session: AgnoSession,
        deserialize: bool | None = True,  # noqa: ARG002
    ) -> AgnoSession | dict[str, Any] | None:
        """Keep the session; not that of a part of the component, which goes by the same id."""
        saved = plain_object(session.to_dict(include_runs=False))
        if not self._closed and isinstance(session, self._own_type) and saved.get(self._id_field) in self._owners:
            self.session = saved
        return session

    async def upsert_run(
        self,
        run: Any,
        session_id: str,  # noqa: ARG002
        user_id: str | None = None,  # noqa: ARG002
        run_index: int | None = None,
    ) -> None:
        if isinstance(run, RunOutput | TeamRunOutput) and run.parent_run_id is not None:
            run = as_stored(run, self.makers)
        saved = plain_object(run if isinstance(run, dict) else run.to_dict())
        if run_index == 0 and saved["run_id"] != self._run_id and saved.get("parent_run_id") is None:
            self.introduction = {**saved, "status": RunStatus.COMPLETED.value}  # agno leaves it RUNNING for ever
        elif not self._closed:
            self.runs[saved["run_id"]] = saved
            if saved["run_id"] == self._run_id:
                self._saved_fields = {} if isinstance(run, dict) else dict(vars(run))
        if saved["run_id"] == self._run_id and saved.get("status") in _ENDED:
            self.run_saved.set()

    async def get_user_memories(  # noqa: PLR0917  agno's signature
        self,
        user_id: str | None = None,
        agent_id: str | None = None,
        team_id: str | None = None,
        topics: list[str] | None = None,
        search_content: str | None = None,
        limit: int | None = None,
        page: int | None = None,
        sort_by: str | None = None,  # noqa: ARG002  agno sorts what it shows by itself
        sort_order: str | None = None,  # noqa: ARG002
        deserialize: bool | None = True,
    ) -> list[UserMemory] | tuple[list[dict[str, Any]], int]:
        """The memories of this user, or of the run's, oldest first."""
        wanted = MemoryFilter(agent_id, team_id, tuple(topics or ()), search_content)
        found = [memory for memory in await self.memories.of(user_id) if wanted.takes(memory)]
        start = ((page or 1) - 1) * (limit or 0)
        shown = found[start:] if limit is None else found[start : start + limit]
        return [as_agno(memory) for memory in shown] if deserialize else ([as_row(each) for each in shown], len(found))

    async def get_user_memory(
        self, memory_id: str, deserialize: bool | None = True, user_id: str | None = None
    ) -> UserMemory | dict[str, Any] | None:
        memory = next((each for each in await self.memories.of(user_id) if each.memory_id == memory_id), None)
        if memory is None:
            return None
        return as_agno(memory) if deserialize else as_row(memory)

    async def get_all_memory_topics(self, user_id: str | None = None) -> list[str]:
        return sorted({topic for memory in await self.memories.of(user_id) for topic in memory.topics or ()})

    async def upsert_user_memory(
        self, memory: UserMemory, deserialize: bool | None = True
    ) -> UserMemory | dict[str, Any] | None:
        put = await self.memories.put(memory)
        return as_agno(put) if deserialize else as_row(put)

    async def delete_user_memory(self, memory_id: str, user_id: str | None = None) -> None:
        await self.memories.remove([memory_id], user_id)

    async def delete_user_memories(self, memory_ids: list[str], user_id: str | None = None) -> None:
        await self.memories.remove(memory_ids, user_id)

    async def clear_memories(self) -> None:
        await self.memories.clear()

    async def update_approval_run_status(self, *_: Any, **__: Any) -> int:
        """0: there are no approvals. agno asks this at the end of every run."""
        return 0


def _are_of_the_same(value: object, saved: object) -> bool:
    """Whether they are lists of the same objects: agno stores a list of its own of the messages."""
    if not isinstance(value, list) or not isinstance(saved, list):
        return False
    return len(value) == len(saved) and all(map(is_, value, saved))


def _agno_session(session: Session) -> JsonObject:
    """The session as agno stores one, with its runs oldest first and members before the run that they worked for."""
    runs: list[Json] = []
    for stored in session.runs:
        runs += [*stored.output.others, stored.output.run]
    return {
        "session_id": session.session_id,
        "user_id": session.user_id,
        _ID_FIELDS[session.kind]: session.component_id,
        "created_at": session.created_at // 1000,
        "updated_at": session.updated_at // 1000,
        "runs": runs,
        **from_fields(session.fields),
    }
