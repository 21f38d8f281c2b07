"""Values of ``stream`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import register, wrong_type

LIMITS = (
    wrong_type(
        "stream.wrong-type-refused",
        {"stream": "perhaps"},
        "A `stream` that is a word, other than one for yes or no, is rejected.",
        "`stream` 为既不表示是也不表示否的单词时会被拒绝。",
    ),
)

register(LIMITS, __name__)
