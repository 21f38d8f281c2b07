"""Checks of ``presence_penalty`` and ``frequency_penalty``."""
