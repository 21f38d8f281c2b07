"""Checks of ``suffix``."""
