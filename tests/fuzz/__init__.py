"""Mutated responses through the whole reader path."""
