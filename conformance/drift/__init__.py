"""Whether the model behind a name has changed: recordings of single tokens, and their comparison.

A recording asks the same short prompts a few times for one token each. Two recordings are compared
by a permutation test, whose null is that all answers to a prompt come from one and the same
distribution; what varies within a recording is therefore part of the null.

Where the endpoint lists log probabilities, these are compared (log probability tracking: Chauvin
and others, arXiv 2512.03816, 3 December 2025). Elsewhere the texts are, of prompts on whose first
token the model hesitates (border inputs: Chauvin and others, arXiv 2602.11083, 11 February 2026).
"""

from conformance.drift.comparison import Comparison, Outcome, compare
from conformance.drift.recording import (
    Answer,
    DriftFileError,
    Method,
    Recording,
    read_recording,
)

__all__ = [
    "Answer",
    "Comparison",
    "DriftFileError",
    "Method",
    "Outcome",
    "Recording",
    "compare",
    "read_recording",
]
