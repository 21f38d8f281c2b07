"""Whether a run met the objectives that a user set: times, rates and limits, from what was sent.

Nothing is sent for them. A run has few requests, so an objective is met or missed only where an
exact interval says so; otherwise the result is inconclusive and says how many it takes.
"""

from conformance.objectives.intervals import share_interval
from conformance.objectives.judging import results_of

__all__ = ["results_of", "share_interval"]
