"""Requests that both servers get: sessions are made, run in, read, changed and deleted, as a seed chooses."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from tests.differential.servers import Asked

KINDS = ("agent", "team", "workflow")
COMPONENTS = {"agent": ("plain", "keeper"), "team": ("crew",), "workflow": ("post",)}
USERS = (None, "ann", "bob")
MESSAGES = ("hello", "what is a ship?", 'call remember {"key": "port", "value": "Genoa"}', "ask scout: look", "Grüße")


class Cases:
    """An endless supply of requests, which knows what it has made so far."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._sessions: dict[str, tuple[str, str | None]] = {}
        """Session id -> its kind and its user."""
        self._components: dict[str, str] = {}
        """Session id -> the one component that runs in it: what another one's runs are to it is no matter here."""
        self._runs: list[tuple[str, str]] = []
        """Pairs of session id and run id."""
        self._number = 0

    def __iter__(self) -> Iterator[Asked]:
        for kind in KINDS:  # so that there is something of each to begin with
            yield self._create(kind)
            yield self._run(kind)
        while True:
            yield self._random.choices(
                (
                    self._create, self._run, self._list, self._get, self._runs_of, self._one_run,
                    self._patch, self._rename, self._delete, self._delete_many, self._odd,
                ),
                weights=(3, 4, 6, 4, 4, 2, 3, 2, 1, 1, 5),
            )[0]()  # fmt: skip

    def _choice(self, *among: Any) -> Any:
        return self._random.choice(among)

    def _id(self, prefix: str) -> str:
        self._number += 1
        return f"{prefix}-{self._number}"

    def _session(self) -> str:
        """Most often one that was made, and perhaps deleted since."""
        known = list(self._sessions)
        return "never-there" if not known or self._random.random() < 0.1 else self._random.choice(known)

    def _component(self, session_id: str, kind: str) -> str:
        return self._components.setdefault(session_id, self._random.choice(COMPONENTS[kind]))

    def _params(self, session_id: str, **more: Any) -> dict[str, Any]:
        """Now and then with the kind, the owner or somebody else, and the database."""
        kind, user = self._sessions.get(session_id, ("agent", None))
        params = {
            "type": self._choice(None, None, kind),
            "user_id": self._choice(None, None, user, "mallory"),
            "db_id": self._choice(None, None, None, "agentos-lambda"),
            **more,
        }
        return {name: value for name, value in params.items() if value is not None}

    def _create(self, kind: str | None = None) -> Asked:
        kind = kind or self._choice(*KINDS)
        session_id, user = self._id("session"), self._choice(*USERS)
        self._sessions[session_id] = (kind, user)
        body = {
            "session_id": session_id,
            "user_id": user,
            f"{kind}_id": self._choice(None, self._component(session_id, kind)),
            "session_name": self._choice(None, None, "A talk", "Zoë's talk", ""),
            "session_state": self._choice(None, {}, {"count": 1, "list": [1, {"a": None}]}),
            "metadata": self._choice(None, {}, {"tags": ["a"]}, {"agno_component_version": 3}),
        }
        body = {name: value for name, value in body.items() if value is not None}
        return Asked("POST", "/sessions", params={"type": kind}, json=body)

    def _run(self, kind: str | None = None) -> Asked:
        kind = kind or self._choice(*KINDS)
        own = [each for each, (its_kind, _) in self._sessions.items() if its_kind == kind]
        if not own or self._random.random() < 0.3:
            session_id, user = self._id("session"), self._choice(*USERS)
            self._sessions[session_id] = (kind, user)
        else:
            session_id = self._random.choice(own)
            user = self._sessions[session_id][1]
        component = self._component(session_id, kind)
        run_id = self._id("run")
        self._runs.append((session_id, run_id))
        form = {"message": self._choice(*MESSAGES), "stream": "false", "session_id": session_id, "run_id": run_id}
        if user is not None:
            form["user_id"] = user
        return Asked("POST", f"/{kind}s/{component}/runs", form=form)

    def _list(self) -> Asked:
        params = {
            "type": self._choice(None, None, *KINDS),
            "component_id": self._choice(None, None, None, "keeper", "crew", "post", "nobody"),
            "user_id": self._choice(None, None, None, "ann", "bob", "carol"),
            "session_name": self._choice(None, None, None, None, "talk", "TALK"),
            "limit": self._choice(None, 1, 2, 5, 100),
            "page": self._choice(None, 1, 2, 3),
            "sort_by": self._choice(None, None, "created_at", "updated_at", "session_id"),
            "sort_order": self._choice(None, "asc", "desc"),
            "db_id": self._choice(None, None, "agentos-lambda"),
        }
        return Asked("GET", "/sessions", params={name: value for name, value in params.items() if value is not None})

    def _get(self) -> Asked:
        session_id = self._session()
        return Asked("GET", f"/sessions/{session_id}", params=self._params(session_id))

    def _runs_of(self) -> Asked:
        session_id = self._session()
        more = {"status": self._choice(None, None, "COMPLETED", "completed", "ERROR", ["PAUSED", "COMPLETED"])}
        what = self._choice("runs", "run-previews")
        return Asked("GET", f"/sessions/{session_id}/{what}", params=self._params(session_id, **more))

    def _one_run(self) -> Asked:
        session_id, run_id = self._choice(*self._runs)
        if self._random.random() < 0.2:
            run_id = "never-there"
        return Asked("GET", f"/sessions/{session_id}/runs/{run_id}", params=self._params(session_id))

    def _patch(self) -> Asked:
        session_id = self._session()
        body = {
            "session_name": self._choice(None, None, "Patched", ""),
            "session_state": self._choice(None, {}, {"count": 2}, {"other": "ü"}),
            "metadata": self._choice(None, None, {"tags": []}, {"agno_dispatch_depth": 1}),
            "summary": self._choice(None, None, {"summary": "short"}, {"summary": "long", "topics": ["ships"]}),
        }
        body = {name: value for name, value in body.items() if value is not None}
        return Asked("PATCH", f"/sessions/{session_id}", params=self._params(session_id), json=body)

    def _rename(self) -> Asked:
        session_id = self._session()
        body = {"session_name": self._choice("A talk of ships", "", "Überschrift")}
        return Asked("POST", f"/sessions/{session_id}/rename", params=self._params(session_id), json=body)

    def _delete(self) -> Asked:
        session_id = self._session()
        params = {name: value for name, value in self._params(session_id).items() if name != "type"}
        return Asked("DELETE", f"/sessions/{session_id}", params=params)

    def _delete_many(self) -> Asked:
        chosen = [self._session(), self._session()]
        types = [self._sessions.get(each, ("agent", None))[0] for each in chosen]
        if self._random.random() < 0.3:
            types.pop()
        return Asked("DELETE", "/sessions", json={"session_ids": chosen, "session_types": types})

    def _odd(self) -> Asked:
        """Requests that are wrong, each in one way."""
        known = next(iter(self._sessions))
        return self._choice(
            Asked("GET", "/sessions", params={"type": "robot"}),
            Asked("GET", "/sessions", params={"limit": 0}),
            Asked("GET", "/sessions", params={"limit": -1}),
            Asked("GET", "/sessions", params={"page": -1}),
            Asked("GET", "/sessions", params={"page": "two"}),
            Asked("GET", "/sessions", params={"sort_order": "sideways"}),
            Asked("GET", "/sessions", params={"table": "agno_sessions"}),
            Asked("GET", "/sessions", params={"db_id": "another"}),
            Asked("GET", "/sessions", params={"db_id": "agentos-lambda", "table": "another"}),
            Asked("GET", "/sessions", params={"db_id": "agentos-lambda", "table": "agno_sessions", "limit": 1}),
            Asked("GET", f"/sessions/{known}", params={"type": "robot"}),
            Asked("GET", "/sessions/never-there", params={"type": "team"}),
            Asked("GET", f"/sessions/{known}/runs", params={"status": "DONE"}),
            Asked("GET", f"/sessions/{known}/runs", params={"created_after": "noon"}),
            Asked("GET", f"/sessions/{known}/runs", params={"created_after": 1}),
            Asked("GET", f"/sessions/{known}/runs", params={"created_before": 1}),
            Asked("POST", "/sessions", json={"session_id": known}),
            Asked("POST", "/sessions", params={"type": "robot"}, json={}),
            Asked("POST", "/sessions", json={"session_state": [1]}),
            Asked("POST", "/sessions", json={"session_name": 7}),
            Asked("PATCH", f"/sessions/{known}", json={"metadata": "text"}),
            Asked("PATCH", "/sessions/never-there", json={"session_name": "x"}),
            Asked("POST", f"/sessions/{known}/rename", json={}),
            Asked("POST", f"/sessions/{known}/rename", json={"session_name": None}),
            Asked("DELETE", "/sessions", json={"session_ids": [], "session_types": []}),
            Asked("DELETE", "/sessions", json={"session_ids": ["a"], "session_types": ["robot"]}),
            Asked("DELETE", "/sessions", json={"session_ids": ["a"]}),
            Asked("DELETE", "/sessions", json={"session_ids": [""], "session_types": ["agent"]}),
            Asked("GET", "/sessions", params={"user_id": "x" * 3000}),
            Asked("GET", f"/sessions/{'x' * 3000}"),
            Asked("PUT", "/sessions", json={}),
            # Filters that nothing fits, and parameters that mean nothing here.
            Asked("GET", "/sessions", params={"page": 99, "limit": 1}),
            Asked("GET", "/sessions", params={"limit": "ten"}),
            Asked("GET", "/sessions", params={"limit": ""}),
            Asked("GET", "/sessions", params={"type": ""}),
            Asked("GET", "/sessions", params={"user_id": ""}),
            Asked("GET", "/sessions", params={"component_id": ""}),
            Asked("GET", "/sessions", params={"sort_by": "nothing", "sort_order": "asc"}),
            Asked("GET", "/sessions", params={"sort_order": "ASC"}),
            Asked("GET", "/sessions", params={"session_name": "%"}),
            Asked("GET", "/sessions", params={"session_name": "Zoë"}),
            Asked("GET", "/sessions", params={"type": "team", "component_id": "plain"}),
            Asked("GET", "/sessions", params={"type": "agent", "user_id": "ann", "session_name": "TALK", "limit": 100}),
            Asked("GET", "/sessions", params={"type": ["agent", "team"]}),
            Asked("GET", f"/sessions/{known}", params={"user_id": ""}),
            Asked("GET", f"/sessions/{known.upper()}"),
            Asked("GET", "/sessions/%20"),
            Asked("GET", "/sessions/a%2Fb"),
            Asked("GET", f"/sessions/{known}/runs", params={"limit": 1, "page": 0, "sort_by": "created_at"}),
            Asked("GET", f"/sessions/{known}/runs", params={"created_after": -1, "created_before": 10**15}),
            Asked("GET", f"/sessions/{known}/runs", params={"status": ""}),
            Asked("GET", f"/sessions/{known}/runs", params={"status": ["COMPLETED", "DONE"]}),
            Asked("GET", f"/sessions/{known}/run-previews", params={"status": "running"}),
            Asked("GET", f"/sessions/{known}/rename"),
            Asked("POST", "/sessions", json={"session_id": 7}),
            Asked("POST", "/sessions", json=[1]),
            Asked("POST", "/sessions", params={"db_id": "another"}, json={}),
            Asked("PATCH", f"/sessions/{known}", json={}),
            Asked("PATCH", f"/sessions/{known}"),
            Asked("PATCH", f"/sessions/{known}", json={"session_name": None, "metadata": None, "session_state": None}),
            Asked("PATCH", f"/sessions/{known}", json={"session_state": {"": 1, "a.b": 2, "#x": [3], "ü": None}}),
            Asked(
                "PATCH", f"/sessions/{known}", json={"metadata": {f"key {place}": "x" * 100 for place in range(300)}}
            ),
            Asked("PATCH", f"/sessions/{known}", params={"db_id": "another"}, json={}),
            Asked("POST", f"/sessions/{known}/rename", json={"session_name": " \n\t"}),
            Asked("POST", f"/sessions/{known}/rename", json={"session_name": "\u2028 'quoted' \"\\ \U0001f600"}),
            Asked("POST", f"/sessions/{known}/rename"),
            Asked("DELETE", f"/sessions/{known}", params={"db_id": "another"}),
            Asked("DELETE", f"/sessions/{known}", params={"user_id": ""}),
            Asked("DELETE", "/sessions"),
            Asked("DELETE", "/sessions", json={"session_ids": [None], "session_types": ["agent"]}),
            Asked("DELETE", f"/sessions/{known}/runs"),
        )
