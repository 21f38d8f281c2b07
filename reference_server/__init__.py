"""A completions server that serves every parameter exactly as the contract says."""

__version__ = "0.1.0"
