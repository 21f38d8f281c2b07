"""Checks of ``seed``."""
