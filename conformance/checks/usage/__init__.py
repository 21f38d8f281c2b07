"""Checks of ``usage``."""
