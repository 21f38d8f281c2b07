"""Checks of ``prompt``."""
