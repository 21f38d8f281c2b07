"""Faults of ``usage``."""
