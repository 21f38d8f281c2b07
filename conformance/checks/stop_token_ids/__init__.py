"""Checks of the parameter `stop_token_ids`."""
