"""Faults of ``prompt``."""
