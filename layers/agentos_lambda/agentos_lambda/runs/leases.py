"""How long an attempt counts as alive, and how often its keeper looks after it. Durations in milliseconds."""

LEASE = 30_000
"""An executor that has not renewed for this long counts as dead."""

RENEW_EVERY = 10_000
"""Three renewals may fail before the lease runs out."""

LOOK_EVERY = 1_000
"""How often a running attempt's record is read for a cancel, and how long text may wait to be logged."""
