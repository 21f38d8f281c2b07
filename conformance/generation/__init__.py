"""The engine of property-based checks: covering arrays, Hypothesis and schemathesis.

This package registers no check and knows no area. The checks that use it are in
``conformance/checks/<area>/properties.py``. Each library is imported inside the function that uses
it, so that commands which draw nothing start as fast as without them.
"""
