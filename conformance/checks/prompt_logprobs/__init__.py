"""Checks of the parameter `prompt_logprobs`."""
