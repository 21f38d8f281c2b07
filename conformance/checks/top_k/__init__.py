"""Checks of the parameter `top_k`."""
