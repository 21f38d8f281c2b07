"""Checks of ``user``."""
