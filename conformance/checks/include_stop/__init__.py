"""Checks of the parameter `include_stop_str_in_output`."""
