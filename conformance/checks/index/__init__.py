"""Checks of the numbering of choices."""
