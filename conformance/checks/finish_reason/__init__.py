"""Checks of ``choices[].finish_reason``."""
