"""The lint of a page: what is wrong inside it, found by rules, each a small pure function.

    for finding in lint(load_page("zero")):
        print(finding.place, finding.wrong)

A rule sees the transcribed page and the contract of the live API, which knows what an answer looks
like. No rule knows a vendor, and none is told where to look.
"""

from conformance.docs_audit.lint.rules import RULES, lint

__all__ = ["RULES", "lint"]
