"""Checks of the parameter `ignore_eos`."""
