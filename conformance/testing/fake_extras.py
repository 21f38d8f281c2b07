"""What the fake endpoint's choices have besides the live API's fields, if a document has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from conformance.contract import Contract
from conformance.testing import fake_model as language
from conformance.testing.fake_generation import Draft
from conformance.testing.fake_validation import Body

TOKENS = "tokens so far"
"""The key under which a part of a choice states how many of its tokens were generated."""

CHOICE = "choices[]."
STOPS = ("stop_reason", "matched_stop")


def fields_of(contract: Contract) -> frozenset[str]:
    """Return the names of the fields of a choice."""
    paths = (field.path for field in contract.fields)
    return frozenset(path.removeprefix(CHOICE) for path in paths if path.startswith(CHOICE))


def object_of(contract: Contract, schema: str) -> str:
    """Return what ``object`` of a response or a chunk has to be, where the contract says it."""
    members = contract.openapi["components"]["schemas"][schema].get("properties", {})
    return str(members.get("object", {}).get("const", "text_completion"))


def whole_choice(
    choice: dict[str, Any], draft: Draft, body: Body, fields: frozenset[str]
) -> dict[str, Any]:
    """Add the fields to a choice of a non-streaming response."""
    wanted = body.get("return_token_ids")
    extra = {
        **dict.fromkeys(STOPS, draft.matched),
        "token_ids": draft.tokens if wanted else None,
        "prompt_token_ids": draft.prompt if wanted else None,
        "prompt_logprobs": _prompt_scores(draft, body),
    }
    return choice | {name: value for name, value in extra.items() if name in fields}


def parts_of_choice(
    parts: Iterable[dict[str, Any]], draft: Draft, body: Body, fields: frozenset[str]
) -> Iterator[tuple[dict[str, Any], dict[str, int]]]:
    """Add the fields to the parts of a streamed choice; yield each with the usage until then."""
    sent, is_first = 0, True
    for part in parts:
        known = len(draft.tokens) if part["finish_reason"] else part[TOKENS]
        wanted = body.get("return_token_ids")
        extra = {
            **dict.fromkeys(STOPS, draft.matched if part["finish_reason"] else None),
            "token_ids": draft.tokens[sent:known] if wanted else None,
            "prompt_token_ids": draft.prompt if wanted and is_first else None,
        }
        sent, is_first = known, False
        added = {name: value for name, value in extra.items() if name in fields}
        plain = {name: value for name, value in part.items() if name != TOKENS}
        yield plain | added, usage(len(draft.prompt), known)


def usage(read: int, written: int) -> dict[str, int]:
    """Return the counts of a response."""
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
    }


def name_of(token: int, body: Body) -> str:
    r"""Format a token: its text, ``bytes:\xe2`` if it is not UTF-8, or its id if requested."""
    if body.get("return_tokens_as_token_ids"):
        return f"token_id:{token}"
    fragment = language.token_text(token)
    try:
        return fragment.decode() or "<|endoftext|>"
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in fragment)


def _prompt_scores(draft: Draft, body: Body) -> list[Mapping[str, Any] | None] | None:
    count = body.get("prompt_logprobs")
    if count is None:
        return None
    return [
        _scores_at(draft.prompt[:place], token, count) if place else None
        for place, token in enumerate(draft.prompt)
    ]


def _scores_at(before: list[int], token: int, count: int) -> Mapping[str, Any]:
    distribution = language.predict(before)
    ranked = distribution.top(len(distribution.scores))
    listed = dict.fromkeys([*(ranked if count < 0 else ranked[:count]), token])
    return {
        str(one): {
            "logprob": distribution.logprob(one),
            "rank": ranked.index(one) + 1 if one in ranked else len(ranked) + 1,
            "decoded_token": name_of(one, {}),
        }
        for one in listed
    }
