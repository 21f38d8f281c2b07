"""The record of a run: its events, the NDJSON file and its conclusion."""
