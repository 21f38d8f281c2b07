"""Checks of ``model``, in a request and in a response."""
