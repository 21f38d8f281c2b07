"""Checks of ``top_p``."""
