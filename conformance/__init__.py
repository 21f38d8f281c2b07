"""Hold an OpenAI-compatible ``POST /v1/completions`` endpoint against its contract."""

__version__ = "0.1.0"
