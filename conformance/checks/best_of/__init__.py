"""Checks of ``best_of``."""
