"""Helpers that the checks of several areas share; this package registers no check."""
