"""Checks of ``system_fingerprint``."""
