"""Conformance tests for OpenAI-compatible ``POST /v1/completions`` endpoints."""

__version__ = "0.1.0"
