"""Faults of ``echo``."""
