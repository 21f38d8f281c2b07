"""Checks of ``n``."""
