"""Checks of ``stop``."""
