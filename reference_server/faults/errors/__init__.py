"""Faults of errors: their content, their status, and how long to wait."""
