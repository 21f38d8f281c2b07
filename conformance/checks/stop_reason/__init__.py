"""Checks of the field `stop_reason`."""
