"""A reference server for ``POST /v1/completions`` that conforms to every parameter's contract."""

__version__ = "0.1.0"
