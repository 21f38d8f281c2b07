"""Checks of errors: status, body, rate limits, and faults of a server or a gateway."""
