"""Variants of streams."""
