"""How long an attempt counts as alive, and how often it is looked after. Durations in milliseconds."""

LEASE = 30_000
"""An executor that has not renewed for this long counts as dead."""

RENEW_EVERY = 10_000
"""Two renewals may fail before the lease runs out."""

LOOK_EVERY = 1_000
"""How often a running attempt's record is read for a cancel, and how long text may wait to be logged."""

CLOCK_SKEW = 15_000
"""How far the clocks of two machines may be apart: a lease is taken over only when it ended so long ago."""

RESEND_AFTER = 60_000
"""A queued run that nobody took is sent again after this time, then after twice as long, and so on."""

WAIT_AT_MOST = 6 * 3_600_000
"""A queued run that nobody took for so long will never be started."""

UNLOGGED_AT_MOST = 10_000
"""More events than an executor hands on before it logs them. Whoever ends a dead executor's run leaves this gap in the
indexes, so that a client that has seen some of those events still gets the end."""
