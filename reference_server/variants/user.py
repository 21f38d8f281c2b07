"""Servers that do not know ``user``, or do not read it."""

from __future__ import annotations

from reference_server.behaviour.builders import both, drops, rejects
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite
from reference_server.variants._requests import KNOWN, asks_for


@variant("no-user", refuses="user")
def no_user() -> Behaviour:
    """``user`` is declined as any key that the server does not know."""
    return rejects(asks_for("user"), "Unrecognized request argument supplied: user")


@variant("user-unread")
def user_unread() -> Behaviour:
    """``user`` never gets to the model's server, and unknown keys are declined in another way."""
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
