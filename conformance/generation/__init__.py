"""The engine of property-based checks: covering arrays, Hypothesis and schemathesis.

This package registers no check and knows no area. The checks that use it are in
``conformance/checks/<area>/properties.py``. The libraries are an optional extra: each is imported
inside the function that uses it, and a check that needs a missing one is skipped with the command
that installs it.
"""
