"""How a fault of isolation is registered, and what it breaks."""

from __future__ import annotations

from functools import partial

from reference_server.behaviour.registry import Evidence, Tier, fault

OWN_PROMPT, OWN_SETTINGS = "isolation.own-prompt", "isolation.own-settings"
EARLIER, SEED = "isolation.earlier-requests", "isolation.seed-kept"

ANOTHER_TEXT = (
    "echo.prompt-then-completion index.prompt-major seed.repeats temperature.zero-is-greedy"
    " streaming.text-equals-plain"
)
"""What a response breaks whose text is not that of its request, now and then."""

ANOTHER_PROMPT = (
    f"{ANOTHER_TEXT} streaming.echo-once usage.prompt-grows-with-text usage.prompt-counted-once"
    " usage.prompt-sums-batch usage.stream-equals-plain"
)
"""What a response to another prompt breaks: its echo and its bill are that one's, too."""

reported_fault = partial(fault, evidence=Evidence.REPORTED, triggers=(), tier=Tier.DEEP)
"""Registers a fault with a public report that shows only under a load that the deep tier makes."""
