"""Faults of ``stop``."""
