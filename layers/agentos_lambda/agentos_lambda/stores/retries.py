"""The only layer that sends a request to AWS again: botocore's own retries are switched off.

what happened                                            tried again    may have been applied
-------------------------------------------------------  -------------  ---------------------
throttling, a conflict with another transaction          yes            no
no connection                                            yes            no
no answer in time, an answer that broke off, 5xx         yes            yes
anything else                                            no             no

So every write must tolerate being applied twice: it has a condition with its writer's token, or a key made of its
content, or the second time changes nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from agentos_lambda.runs.clock import Clock, Stopwatch, SystemClock

TRIES = 6
RETRY_WITHIN_MS = 4_000
"""No try begins later than this after the first one: two failed renewals must leave time for a third in a lease."""
FIRST_PAUSE_SECONDS = 0.1
"""The longest first pause. Each further one may be twice as long."""

_Answer = TypeVar("_Answer")


class RequestFailed(Exception):
    """The last try failed."""

    def __init__(self, error: Exception, *, in_doubt: bool) -> None:
        super().__init__(str(error))
        self.error = error
        """A ``ClientError`` or ``BotoCoreError``."""
        self.in_doubt = in_doubt
        """Whether this try or an earlier one may have been applied."""


class Retries:
    """Exponential backoff with full jitter. May be used from any thread.

    https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        tries: int = TRIES,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """``sleep`` takes seconds, ``jitter`` gives a number from 0 to 1; both are called between two tries."""
        self._clock = clock or SystemClock()
        self._tries = tries
        self._sleep = sleep
        self._jitter = jitter

    def send(self, request: Callable[[], _Answer]) -> _Answer:
        """What ``request`` returns. Raises ``RequestFailed``."""
        from agentos_lambda.stores.failures import ERRORS, is_contended, is_outage, may_be_applied  # noqa: PLC0415

        since_first = Stopwatch(self._clock)
        tries, in_doubt = 0, False
        while True:
            try:
                return request()
            except ERRORS as error:
                pause = self._jitter() * FIRST_PAUSE_SECONDS * 2**tries
                tries += 1
                in_doubt = in_doubt or may_be_applied(error)
                is_last = tries == self._tries or since_first.elapsed_ms() + pause * 1000 > RETRY_WITHIN_MS
                if is_last or not (is_contended(error) or is_outage(error)):
                    raise RequestFailed(error, in_doubt=in_doubt) from error
            self._sleep(pause)
