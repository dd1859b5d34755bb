"""Lambda as processes: execution environments behind a Runtime API, and the queues and schedules that invoke them."""
