"""What the SAM template says about functions, routes, tables, buckets, queues and triggers."""
