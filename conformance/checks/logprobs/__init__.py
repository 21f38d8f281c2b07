"""Checks of ``logprobs``: its arrays, its numbers and ``text_offset``."""
