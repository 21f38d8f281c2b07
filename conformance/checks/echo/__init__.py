"""Checks of ``echo``, alone and with ``logprobs``."""
