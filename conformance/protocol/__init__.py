"""The wire format as values: requests, responses, completions, streams. No I/O."""
