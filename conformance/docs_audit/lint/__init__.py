"""The lint of a page: rules that find defects, each a small pure function.

    for finding in lint(load_page("zero")):
        print(finding.place, finding.wrong)

A rule sees the transcribed page and the contract of the live API, which defines the shape of a
response. No rule is specific to a vendor.
"""

from conformance.docs_audit.lint.rules import RULES, lint

__all__ = ["RULES", "lint"]
