"""Checks of the parameter `min_tokens`."""
