"""Checks of ``logit_bias``."""
