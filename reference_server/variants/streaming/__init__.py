"""Freedoms of streams."""
