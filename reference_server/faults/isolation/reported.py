"""How a fault of isolation is registered, and what it breaks."""

from __future__ import annotations

from functools import partial

from reference_server.behaviour.registry import Evidence, Tier, fault

OWN_PROMPT, OWN_SETTINGS = "isolation.own-prompt", "isolation.own-settings"
EARLIER, SEED = "isolation.earlier-requests", "isolation.seed-kept"

ANYTHING = "*"
"""A response that is another request's breaks whatever it is judged by."""

reported_fault = partial(
    fault, also_breaks=ANYTHING, evidence=Evidence.REPORTED, triggers=(), tier=Tier.DEEP
)
"""Registers a fault with a public report that shows only under a load that the deep tier makes."""
