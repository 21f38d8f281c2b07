"""Checks of the ``Authorization`` header: no key, and a wrong key."""
