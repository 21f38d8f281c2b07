"""Checks of isolation: other requests, at the same time or before, do not change a response."""
