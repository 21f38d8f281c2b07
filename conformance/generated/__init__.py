"""Checks whose requests nobody wrote down: drawn from what the contract allows and forbids.

Each is registered like any other, at the stage ``generated``, and asks through the same object. The
libraries that draw are an extra, imported where they are used; without them these checks say so.
"""
