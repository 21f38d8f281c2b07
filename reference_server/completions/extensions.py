"""Parameters of today's servers beside those of the live API, and what choices have for them.

vLLM: ``sampling_params.py`` (00388f65) and ``completion/protocol.py`` (002032ee), read on
2026-12-01. The rules of a dialect list the parameters that it takes, and the fields of its choices.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reference_server.completions import constraints, fields
from reference_server.completions.errors import bad_request
from reference_server.completions.rules import Rules
from reference_server.engine.choice import TextChunk
from reference_server.engine.constraint import Constraint
from reference_server.engine.logprobs import TokenScore

STOP_REASON = "stop_reason"
MATCHED_STOP = "matched_stop"
"""SGLang's name of it."""
TOKEN_IDS = "token_ids"  # noqa: S105 - a field's name
PROMPT_TOKEN_IDS = "prompt_token_ids"  # noqa: S105
PROMPT_LOGPROBS = "prompt_logprobs"

MAX_STOP_TOKENS = 1024
"""Ids of a request; a limit of this server, no document states one."""


@dataclass(frozen=True)
class Extensions:
    """What a request asks for beside the parameters of the live API."""

    stop_token_ids: tuple[int, ...] = ()
    include_stop: bool = False
    """Whether the text includes the stop sequence that ended it."""
    min_tokens: int = 0
    """Tokens before which a completion does not end by itself, or by a stop."""
    token_ids: bool = False
    """Whether the ids of the prompt's and the completion's tokens are returned."""
    tokens_as_ids: bool = False
    """Whether `logprobs` names tokens by their ids."""
    prompt_logprobs: int | None = None
    """Alternatives of each token of the prompt; below 0 is all, None is no list."""
    continuous_usage: bool = False
    """Whether each chunk of a stream has the usage so far."""
    constraint: Constraint | None = None
    """What the text has to follow."""
    choice_fields: tuple[str, ...] = ()
    """The fields that the dialect's choices have in any case, some of them null."""


NONE = Extensions()


def read(given: Mapping[str, Any], rules: Rules, *, stream: bool) -> Extensions:
    """Read them from a request's parameters, which are those that the rules list.

    Raises ApiError (400) for an invalid value.
    """
    flag = _reader(given, fields.boolean, False)
    extensions = Extensions(
        stop_token_ids=_reader(given, _token_ids, ())("stop_token_ids"),
        include_stop=flag("include_stop_str_in_output"),
        min_tokens=_reader(given, _count, 0)("min_tokens"),
        token_ids=flag("return_token_ids"),
        tokens_as_ids=flag("return_tokens_as_token_ids"),
        prompt_logprobs=_reader(given, _alternatives, None)(PROMPT_LOGPROBS),
        continuous_usage=_continuous(given),
        constraint=constraints.read(given, schema_as_text=rules.schema_as_text),
        choice_fields=rules.choice_fields,
    )
    if stream and extensions.prompt_logprobs is not None:
        raise bad_request(
            "'prompt_logprobs' are not available when 'stream' is true.", param=PROMPT_LOGPROBS
        )
    limit = given.get("max_tokens", rules.max_tokens_default)
    if isinstance(limit, int) and 0 <= limit < extensions.min_tokens:
        raise bad_request(
            f"Invalid 'min_tokens': it must not be greater than 'max_tokens' ({limit}).",
            param="min_tokens",
        )
    return extensions


def of_choice(
    extensions: Extensions,
    chunks: Sequence[TextChunk],
    prompt_ids: Sequence[int] | None,
    name_of: Callable[[int], str],
    *,
    stream: bool,
) -> dict[str, Any]:
    """The additional fields of a choice, or of what a chunk adds to one.

    Args:
        extensions: what was requested.
        chunks: all chunks of the choice, or the one of a stream.
        prompt_ids: what the model reads; None in a stream after the first chunk.
        name_of: the text of a token.
        stream: whether this is a chunk of a stream, which has no log probabilities of the prompt.
    """
    wanted = extensions.token_ids
    reason = chunks[-1].reason if chunks else None
    values = {
        STOP_REASON: reason,
        MATCHED_STOP: reason,
        TOKEN_IDS: [i for chunk in chunks for i in chunk.ids] if wanted else None,
        PROMPT_TOKEN_IDS: list(prompt_ids) if wanted and prompt_ids is not None else None,
        PROMPT_LOGPROBS: None if stream else _listed(chunks, name_of),
    }
    names = [n for n in extensions.choice_fields if not stream or n != PROMPT_LOGPROBS]
    return {name: values[name] for name in names}


def _listed(chunks: Sequence[TextChunk], name_of: Callable[[int], str]) -> list[Any] | None:
    scores = chunks[0].prompt if chunks else None
    if scores is None:
        return None
    return [None if score is None else _entry(score, name_of) for score in scores]


def _entry(score: TokenScore, name_of: Callable[[int], str]) -> dict[str, Any]:
    """The alternatives at one position by their ids; the last may be the token itself alone."""
    entry = {}
    for rank, (token, logprob) in enumerate(score.top, start=1):
        place = score.rank if token == score.token else rank
        entry[str(token)] = {"logprob": logprob, "rank": place, "decoded_token": name_of(token)}
    return entry


def _reader(
    given: Mapping[str, Any], reader: Callable[[Any, str], Any], default: Any
) -> Callable[[str], Any]:
    return lambda name: reader(given[name], name) if name in given else default


def _count(value: Any, name: str) -> int:
    return fields.integer(value, name, 0, fields.INT64[1])


def _alternatives(value: Any, name: str) -> int:
    return fields.integer(value, name, -1, fields.INT64[1])


def _token_ids(value: Any, name: str) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise fields.wrong_type(value, name, "an array of tokens")
    fields.at_most(value, name, MAX_STOP_TOKENS)
    return tuple(fields.integer(item, f"{name}[{i}]", 0) for i, item in enumerate(value))


def _continuous(given: Mapping[str, Any]) -> bool:
    options = given.get("stream_options")
    return isinstance(options, dict) and bool(
        options.get("include_usage") and options.get("continuous_usage_stats")
    )
