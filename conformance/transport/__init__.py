"""Sends requests over HTTP: client, budget, rate limits, retries, redaction."""
