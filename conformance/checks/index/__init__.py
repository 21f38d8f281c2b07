"""Checks of ``choices[].index``."""
