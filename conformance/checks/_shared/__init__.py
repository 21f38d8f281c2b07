"""Helpers that the checks of several areas share; no check is registered here."""
