"""Checks of ``temperature``."""
