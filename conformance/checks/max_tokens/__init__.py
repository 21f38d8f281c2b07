"""Checks of ``max_tokens``."""
