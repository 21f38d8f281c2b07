"""An endpoint that exists only in memory and keeps every promise of a contract.

``plan`` counts requests on it without a network, and the checks' own tests run against it. Its
language is a toy: it counts, copies and otherwise wanders through a few words, and each of its
probabilities is a pure function of the text before. It is no reading of anybody's server.
"""

from conformance.testing.fake_endpoint import FakeEndpoint

__all__ = ["FakeEndpoint"]
