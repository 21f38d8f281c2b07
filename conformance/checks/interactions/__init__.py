"""Checks of several parameters in one request."""
