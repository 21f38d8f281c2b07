"""Servers that ignore unknown parameters."""

from __future__ import annotations

from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.of_requests import KNOWN
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite


@variant("unknown-keys-ignored")
def unknown_keys_ignored() -> Behaviour:
    """Unknown parameters are ignored, as by most servers."""
    return Rewrite(
        request=lambda request: {name: value for name, value in request.items() if name in KNOWN}
    )
