"""Checks of ``stream_options``."""
