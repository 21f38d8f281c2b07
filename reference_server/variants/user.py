"""Servers without ``user``, or with other rules for unknown parameters."""

from __future__ import annotations

from reference_server.behaviour.builders import both, drops, rejects
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.of_requests import KNOWN, uses
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite


@variant("no-user", refuses="user")
def no_user() -> Behaviour:
    """``user`` is rejected as an unknown parameter."""
    return rejects(uses("user"), "Unrecognized request argument supplied: user")


@variant("user-unread")
def user_unread() -> Behaviour:
    """``user`` is ignored, and unknown parameters are rejected with another message."""
    return both(
        drops("user", when=lambda request: isinstance(request.get("user"), str | None)),
        Rewrite(
            refusal=lambda request, envelope: (
                {"error": {**envelope["error"], "message": "Extra inputs are not permitted"}}
                if set(request) - KNOWN
                else envelope
            )
        ),
    )
