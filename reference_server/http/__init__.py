"""HTTP: connections, bodies, event streams, start and end of the process."""
