"""Whether the model that a response names is a form of the one that was requested."""

from __future__ import annotations

import re

from conformance.judgement import Failure, shown
from conformance.message import say

SIBLINGS = frozenset(
    {"instruct", "chat", "base", "mini", "nano", "turbo", "pro", "lite", "flash", "coder", "vision"}
)
"""Words that distinguish the models of a family: without one, a name means another model."""


def assert_names_model(answered: object, request: str) -> None:
    """Assert that one of two model names is the other with something before or after it.

    The response to ``x`` may name ``x-2026-01-01`` or ``x:version``, that to ``vendor/x``
    ``/models/x``. The rest must neither continue a word or number (``gpt-4``, ``gpt-4o``) nor be a
    word that distinguishes models (``x-instruct``, ``x``).
    """
    there, here = (name.lower().rstrip("/").rpartition("/")[2] for name in (str(answered), request))
    longer, shorter = (there, here) if len(there) >= len(here) else (here, there)
    related = bool(shorter) and shorter in longer
    behind = longer[longer.find(shorter) + len(shorter) :]
    if not related or _goes_on(shorter, behind) or _is_another(here, there):
        raise Failure(
            say("model {asked} or a variant of its name", asked=repr(request)),
            say("model = {answered}", answered=shown(answered)),
        )


def _goes_on(name: str, behind: str) -> bool:
    """Return whether the rest continues the last word or version number of a name."""
    if not behind:
        return False
    word = name[-1].isalpha() and behind[0].isalpha()
    number = name[-1].isdigit() and re.match(r"\w|\.\d", behind) is not None
    return word or number


def _is_another(request: str, answered: str) -> bool:
    """Return whether the response's name lacks a word that distinguishes the model."""
    left_out = request.replace(answered, "", 1) if answered in request else ""
    return bool(SIBLINGS & set(re.split(r"[^a-z]+", left_out)))
