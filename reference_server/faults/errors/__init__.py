"""Faults of errors: what they say, when they come, and when to come back."""
