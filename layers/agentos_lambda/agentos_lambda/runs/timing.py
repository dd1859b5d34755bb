"""How long an attempt counts as alive, and how often things are checked."""

LEASE_MS = 30_000
"""An executor that has not renewed its lease for this long counts as dead."""

RENEWAL_INTERVAL_MS = 10_000
"""Two renewals may fail before the lease runs out."""

POLL_INTERVAL_MS = 1_000
"""How often the record of a running attempt is read for a cancel, and how long text may wait to be logged."""

CLOCK_SKEW_MS = 15_000
"""How far the clocks of two machines may be apart: a lease is taken over only after it ended this long ago."""

DUE_STEP_MS = 60_000
"""Times at which a sweep has to look at a run are stored rounded up to a multiple of this: so most renewals of a lease
leave the index of those times as it is."""

RESEND_AFTER_MS = 60_000
"""A send that the queue has not acknowledged is repeated after this time."""

REPEAT_AFTER_MS = 900_000
"""A send that the queue has acknowledged may be repeated after this time: the queue's visibility timeout, after which a
message whose delivery failed is delivered again."""

REPEAT_INTERVAL_MS = 3_600_000
"""Further repeats of acknowledged sends are at least this far apart."""

MAX_WAIT_MS = 6 * 3_600_000
"""A queued run that no worker took for this long will never be started."""

MAX_UNLOGGED_EVENTS = 10_000
"""An upper bound of the events that an executor hands on before it logs them. Ending a dead executor's run leaves this
gap in the indexes, so that a client that has seen some of those events still gets the end."""
