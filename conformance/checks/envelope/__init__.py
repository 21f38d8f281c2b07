"""Checks of the frame of a response: ``id``, ``object``, ``created``, ``model`` and ``choices``."""
