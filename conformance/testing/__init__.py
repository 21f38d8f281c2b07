"""An in-memory endpoint that conforms to any contract.

``conformance plan`` counts requests with it, and the unit tests of checks run against it. Its
language model is a toy: it counts, copies and otherwise picks words by a checksum, and its
probabilities are a pure function of the context. It imitates no particular server.
"""

from conformance.testing.fake_endpoint import FakeEndpoint

__all__ = ["FakeEndpoint"]
