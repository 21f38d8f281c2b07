"""Checks of ``stream``, and of streams: framing, chunks, text and arrival times."""
