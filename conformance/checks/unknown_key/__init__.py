"""Checks of a parameter that no document knows."""
