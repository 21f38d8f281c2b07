"""Checks of response headers."""
