"""Checks of the contract's JSON Schema, with generated requests that fit it or violate it."""
