"""Servers that ignore what they do not know."""

from __future__ import annotations

from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite
from reference_server.variants._requests import KNOWN


@variant("unknown-keys-ignored")
def unknown_keys_ignored() -> Behaviour:
    """Keys that the endpoint does not have are ignored, as most servers do."""
    return Rewrite(
        ask=lambda request: {name: value for name, value in request.items() if name in KNOWN}
    )
