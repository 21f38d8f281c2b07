"""Checks of ``choices[].text``."""
