"""Many targets over time: runs that are interrupted, resumed, sharded and merged."""
