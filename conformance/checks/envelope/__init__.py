"""Checks of the members of a response: ``id``, ``object``, ``created``, ``model``, ``choices``."""
