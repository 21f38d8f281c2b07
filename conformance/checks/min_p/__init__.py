"""Checks of the parameter `min_p`."""
