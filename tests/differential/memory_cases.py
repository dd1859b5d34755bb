"""Requests about memories that both servers get, and runs that remember, as a seed chooses."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from tests.differential.servers import Asked

USERS = ("ann", "bob", "zoë")
RECALLED = "asked once: what did I say?"
"""A memory that makes the demo model's summary short."""

TEXTS = ("likes tea", "likes Milk", "lives in Genoa", "has a boat, a cat and a dog", "mag Grüße", RECALLED)
RUNNING = {"rememberer": "agents", "clerk": "agents", "family": "teams", "household": "teams", "diary": "workflows"}
"""What remembers, and its kind."""

TOPICS = (None, [], ["drinks"], ["drinks", "Food"], ["ships", "harbours"])


class MemoryCases:
    """An endless supply of requests, which knows the ids that it has chosen."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._ids: list[str] = []
        self._number = 0

    def __iter__(self) -> Iterator[Asked]:
        for path in ("/memories", "/memory_topics", "/user_memory_stats"):
            yield Asked("GET", path)
        while True:
            yield self._random.choices(
                (
                    self._create, self._put, self._run, self._list, self._get, self._topics, self._stats,
                    self._delete, self._delete_many, self._odd, self._optimize,
                ),
                weights=(2, 6, 4, 10, 4, 2, 3, 2, 1, 4, 2),
            )[0]()  # fmt: skip

    def _choice(self, *among: Any) -> Any:
        return self._random.choice(among)

    def _id(self) -> str:
        """Most often one that was chosen, and perhaps deleted since."""
        return "memory-0-ann" if not self._ids or self._random.random() < 0.1 else self._random.choice(self._ids)

    def _memory(self) -> dict[str, Any]:
        body = {"memory": self._choice(*TEXTS), "user_id": self._choice(*USERS), "topics": self._choice(*TOPICS)}
        return {name: value for name, value in body.items() if value is not None}

    def _create(self) -> Asked:
        return Asked("POST", "/memories", json=self._memory())

    def _put(self) -> Asked:
        """A change of a memory, or a new one under an id that is the same on both servers."""
        body = self._memory()
        if self._random.random() < 0.6:
            self._number += 1
            self._ids.append(f"memory-{self._number}-{body['user_id']}")
            return Asked("PATCH", f"/memories/{self._ids[-1]}", json=body)
        memory_id = self._id()
        return Asked("PATCH", f"/memories/{memory_id}", json={**body, "user_id": self._owner(memory_id)})

    def _owner(self, memory_id: str) -> str:
        """One id is always one user's: a model that makes up another user's changes that in AgentOS."""
        return memory_id.rpartition("-")[2]

    def _run(self) -> Asked:
        """A run that remembers at most one thing more, or changes or forgets one."""
        self._number += 1
        add = json.dumps({"memory": self._choice(*TEXTS), "topics": ["said"]})
        known = self._id()
        who = self._choice(*RUNNING)
        user = self._owner(known) if who == "clerk" else self._choice(None, *USERS)
        task = self._choice(
            f"call add_memory {add}",
            f'call update_memory {{"memory_id": "{known}", "memory": "said something else"}}',
            f'call delete_memory {{"memory_id": "{known}"}}',
        )
        said = self._choice("hello", f"call add_memory {add}")
        message = f"call update_user_memory {json.dumps({'task': task})}" if who == "clerk" else said
        if who == "household":
            message = f"ask cousin: {said}"
        # A session is its first user's: the others' runs are refused, and nothing is remembered.
        shared = user is not None and self._random.random() < 0.3
        session = f"{who}-{self._choice(1, 2)}" if shared else f"session-{self._number}"
        form = {"message": message, "stream": "false", "session_id": session, "run_id": f"run-{self._number}"}
        return Asked("POST", f"/{RUNNING[who]}/{who}/runs", form=form if user is None else {**form, "user_id": user})

    def _list(self) -> Asked:
        params = {
            "user_id": self._choice(None, *USERS, "default", "nobody", ""),
            "agent_id": self._choice(None, None, None, None, "rememberer", "nobody", ""),
            "team_id": self._choice(None, None, None, None, "family"),
            "topics": self._choice(None, None, None, "drinks", "food,drinks", "Food", " ships ,", "nothing"),
            "search_content": self._choice(None, None, None, "LIKES", "boat", "nothing"),
            "limit": self._choice(None, 1, 2, 5, 100),
            "page": self._choice(None, None, 1, 2, 3),
            "sort_by": self._choice(None, None, "updated_at", "nothing"),
            "sort_order": self._choice(None, "asc", "desc"),
            "db_id": self._choice(None, None, None, "agentos-lambda"),
        }
        return Asked("GET", "/memories", params={name: value for name, value in params.items() if value is not None})

    def _get(self) -> Asked:
        params = {"user_id": user} if (user := self._choice(None, None, *USERS, "")) is not None else None
        return Asked("GET", f"/memories/{self._id()}", params=params)

    def _topics(self) -> Asked:
        params = {"user_id": user} if (user := self._choice(None, *USERS, "")) is not None else None
        return Asked("GET", "/memory_topics", params=params)

    def _stats(self) -> Asked:
        params = {
            "user_id": self._choice(None, None, *USERS, "nobody", ""),
            "limit": self._choice(None, 1, 2),
            "page": self._choice(None, 1, 2),
        }
        params = {name: value for name, value in params.items() if value is not None}
        return Asked("GET", "/user_memory_stats", params=params)

    def _delete(self) -> Asked:
        params = {"user_id": user} if (user := self._choice(None, *USERS, "")) is not None else None
        return Asked("DELETE", f"/memories/{self._id()}", params=params)

    def _delete_many(self) -> Asked:
        body: dict[str, Any] = {"memory_ids": [self._id(), self._id()]}
        if (user := self._choice(None, None, *USERS, "")) is not None:
            body["user_id"] = user
        return Asked("DELETE", "/memories", json=body)

    def _optimize(self) -> Asked:
        body = {
            "user_id": self._choice(*USERS, "nobody"),
            "apply": self._choice(True, True, False),
            "model": self._choice(None, None, None, "", "banana", "nope:x"),
        }
        return Asked("POST", "/optimize-memories", json=body)

    def _odd(self) -> Asked:
        """What is wrong in some way."""
        return self._choice(
            Asked("POST", "/memories", json={"memory": "x"}),
            Asked("POST", "/memories", json={"memory": "", "user_id": "ann"}),
            Asked("POST", "/memories", json={"memory": "x" * 5001, "user_id": "ann"}),
            Asked("POST", "/memories", json={"user_id": "ann"}),
            Asked("POST", "/memories", json={"memory": 5, "user_id": "ann"}),
            Asked("POST", "/memories", json={"memory": "x", "user_id": "ann", "topics": "a"}),
            Asked("PATCH", f"/memories/{self._id()}", json={"memory": "x"}),
            Asked("PATCH", f"/memories/{self._id()}", json={"memory": "", "user_id": "ann"}),
            Asked("DELETE", "/memories", json={"memory_ids": []}),
            Asked("DELETE", "/memories", json={}),
            Asked("POST", "/optimize-memories", json={}),
            Asked("POST", "/optimize-memories", json={"user_id": 5}),
            Asked("POST", "/optimize-memories", json={"user_id": "ann", "model": 5}),
            Asked("POST", "/optimize-memories", json={"user_id": "ann", "apply": "banana"}),
            Asked("POST", "/optimize-memories", params={"db_id": "nowhere"}, json={"user_id": "ann"}),
            Asked("GET", "/memories", params={"limit": 0}),
            Asked("GET", "/memories", params={"sort_order": "up"}),
            Asked("GET", "/memories", params={"db_id": "nowhere"}),
            Asked("GET", "/memories", params={"table": "agno_memories"}),
            Asked("GET", "/memories", params={"db_id": "agentos-lambda", "table": "agno_memories"}),
            Asked("GET", "/memories", params={"db_id": "agentos-lambda", "table": "other"}),
            Asked("GET", "/user_memory_stats", params={"limit": 0}),
        )
