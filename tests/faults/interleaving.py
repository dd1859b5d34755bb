"""All orders in which two actors' calls to their store can come, up to a depth."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

STUCK_AFTER_SECONDS = 30.0
"""An actor that has not come to its next call by then is stuck."""


class Turnstile:
    """Holds an actor before each call to its store until its turn comes."""

    def __init__(self) -> None:
        self._arrived = threading.Semaphore(0)
        self._go = threading.Semaphore(0)
        self.over = False
        self.failure: BaseException | None = None

    def around(self, store: Any) -> Any:
        return _Held(store, self)

    def start(self, act: Callable[[], None]) -> None:
        """Let the actor act, up to its first call."""

        def run() -> None:
            try:
                act()
            except BaseException as error:  # noqa: BLE001 - raised where the actors are driven
                self.failure = error
            self.over = True
            self._arrived.release()

        threading.Thread(target=run, daemon=True).start()
        self._wait()

    def step(self) -> None:
        """Let one call through, and the actor continue up to its next one."""
        self._go.release()
        self._wait()

    def hold(self) -> None:
        self._arrived.release()
        if not self._go.acquire(timeout=STUCK_AFTER_SECONDS):
            raise TimeoutError("the actor never had its turn")

    def _wait(self) -> None:
        if not self._arrived.acquire(timeout=STUCK_AFTER_SECONDS):
            raise TimeoutError("an actor is stuck outside its store")


class _Held:
    def __init__(self, store: Any, turnstile: Turnstile) -> None:
        self._store = store
        self._turnstile = turnstile

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._turnstile.hold()
            return method(*args, **kwargs)

        return call


@dataclass
class Scene:
    """Two actors in a world of their own, and what must hold: after each call, and at the end."""

    actors: list[Callable[[Any], None]]
    """Each acts over the store that it is given."""
    store: Any
    after_each: Callable[[], None]
    at_the_end: Callable[[], None]
    turnstiles: list[Turnstile] = field(default_factory=list)


def play(scene: Scene, choices: list[int], depth: int) -> list[tuple[int, list[int]]]:
    """Play one order: ``choices`` first, then always the first actor. Gives the decisions: what was taken of what."""
    scene.turnstiles = [Turnstile() for _ in scene.actors]
    for turnstile, act in zip(scene.turnstiles, scene.actors, strict=True):
        held = turnstile.around(scene.store)
        turnstile.start(lambda act=act, held=held: act(held))
    decisions: list[tuple[int, list[int]]] = []
    while ready := [place for place, turnstile in enumerate(scene.turnstiles) if not turnstile.over]:
        taken = ready[0]
        if len(ready) > 1 and len(decisions) < depth:
            taken = choices[len(decisions)] if len(decisions) < len(choices) else ready[0]
            decisions.append((taken, ready))
        scene.turnstiles[taken].step()
        scene.after_each()
    for turnstile in scene.turnstiles:
        if turnstile.failure is not None:
            raise turnstile.failure
    scene.at_the_end()
    return decisions


def all_orders(make_scene: Callable[[], Scene], *, depth: int) -> Iterator[list[int]]:
    """Play the scene in every order of its first ``depth`` decisions. Gives each order that was played."""
    choices: list[int] | None = []
    while choices is not None:
        decisions = play(make_scene(), choices, depth)
        taken = [place for place, _ in decisions]
        yield taken
        choices = _next_choices(decisions)


def _next_choices(decisions: list[tuple[int, list[int]]]) -> list[int] | None:
    """The next order in depth-first sequence; None after the last."""
    while decisions:
        taken, ready = decisions.pop()
        later = ready[ready.index(taken) + 1 :]
        if later:
            return [place for place, _ in decisions] + [later[0]]
    return None
