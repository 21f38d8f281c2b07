"""What these faults break."""

from __future__ import annotations

from reference_server.behaviour.registry import Evidence

OWN_PROMPT, OWN_SETTINGS = "isolation.own-prompt", "isolation.own-settings"
EARLIER, SEED = "isolation.earlier-requests", "isolation.seed-kept"

REPORTED = Evidence.REPORTED
ANYTHING = "*"
"""A response that is another request's breaks whatever it is judged by."""
