"""Ways to break a promise, one file per area; every file is read for its faults."""
