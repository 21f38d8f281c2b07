"""Faults of log probabilities."""
