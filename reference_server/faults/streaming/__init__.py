"""Faults of streams."""
