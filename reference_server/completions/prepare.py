"""From a checked request to work for the engine: checks that need the loaded model.

Which token ids exist, whether prompt and completion fit, and how a suffix is encoded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reference_server.completions import constraints, errors
from reference_server.completions.schema import CompletionRequest, Prompt
from reference_server.engine.choice import ChoiceRequest
from reference_server.engine.constraint import Grammar, InvalidConstraintError
from reference_server.engine.engine import LoadedModel, MissingExtraError
from reference_server.engine.parameters import SamplingParameters
from reference_server.engine.request import Generation
from reference_server.engine.sampling import fresh_seed
from reference_server.engine.tokenizer import FillInTheMiddle, Tokenizer

MAX_PROMPT_TOKENS = 500_000
"""Tokens of all prompts of a request; as many as a body may have values."""
GROUP_CHARACTERS = 65_536
"""Characters of texts that are encoded together."""


@dataclass(frozen=True)
class _ReadPrompt:
    """A prompt in tokens."""

    ids: tuple[int, ...]
    """The prompt as the client sent it."""
    text: str | None
    """The text that was sent, None if ids were sent."""
    model_ids: tuple[int, ...]
    """What the model reads: the prompt, special tokens before and around it, the suffix."""
    start: int
    """The position of the first of `ids` in `model_ids`."""


def plan(request: CompletionRequest, model: LoadedModel) -> tuple[Generation, ...]:
    """One generation for every prompt.

    Raises ApiError (400) for what this model cannot do.
    """
    tokenizer = model.tokenizer
    _check_bias(request, tokenizer.size)
    prompts = _read(request, tokenizer, model.backend.context)
    limits = [_limit(request, prompt, model.backend.context) for prompt in prompts]
    scored = request.logprobs is not None
    # best_of ranks candidates by their log probabilities, whether or not the client requested them.
    ranks = request.best_of > request.n
    sampling = SamplingParameters(
        request.temperature,
        request.top_p,
        request.presence_penalty,
        request.frequency_penalty,
        request.logit_bias,
        request.top_k,
        request.min_p,
        request.repetition_penalty,
        request.penalty_window,
        request.temperature_last,
        request.repetition_of_prompt,
    )
    alternatives = _all_of(request.logprobs, tokenizer.size) or 0
    extensions = request.extensions
    grammar = _grammar(request, model)
    seed = fresh_seed() if request.seed is None else request.seed
    return tuple(
        Generation(
            model_ids=prompt.model_ids,
            choice=ChoiceRequest(
                prompt.ids,
                prompt.text,
                limits[index],
                request.echo,
                request.stop,
                frozenset(extensions.stop_token_ids),
                extensions.include_stop,
                extensions.min_tokens,
                extensions.tokens_as_ids,
                request.end_reason,
            ),
            sampling=sampling,
            candidates=request.best_of,
            seed=seed,
            prompt_index=index,
            alternatives=alternatives if scored or ranks else None,
            score_prompt=scored and request.echo,
            prompt_start=prompt.start,
            never_ends=request.ignore_eos,
            prompt_alternatives=_all_of(extensions.prompt_logprobs, tokenizer.size),
            grammar=grammar,
        )
        for index, prompt in enumerate(prompts)
    )


def _grammar(request: CompletionRequest, model: LoadedModel) -> Grammar | None:
    """Read the constraint of a request for the model's vocabulary.

    Raises ApiError (400) if it cannot be read.
    """
    constraint = request.extensions.constraint
    if constraint is None:
        return None
    try:
        return model.grammars.read(constraint)
    except InvalidConstraintError as error:
        raise constraints.invalid(constraint, str(error)) from error
    except MissingExtraError as error:
        raise constraints.invalid(constraint, str(error)) from error


def _all_of(count: int | None, vocabulary: int) -> int | None:
    """A number of alternatives; below 0 it is the whole vocabulary."""
    return vocabulary if count is not None and count < 0 else count


def _limit(request: CompletionRequest, prompt: _ReadPrompt, context: int) -> int:
    """The number of tokens that may follow a prompt; without a limit, all that fit.

    Raises ApiError (400) if they do not fit, or if there is no room at all.
    """
    room = context - len(prompt.model_ids)
    wanted = request.max_tokens
    if wanted is not None and request.lowers_tokens:
        wanted = min(wanted, max(room, 1))
    least = 1 if wanted is None else wanted
    if room < least:
        raise errors.over_context(context, len(prompt.model_ids), least)
    return room if wanted is None else wanted


def _check_bias(request: CompletionRequest, vocabulary: int) -> None:
    for token, _ in request.logit_bias:
        if token >= vocabulary:
            raise errors.bad_request(
                f"Invalid key in 'logit_bias': {token}. Token ids of this model are below "
                f"{vocabulary}.",
                param="logit_bias",
                code="invalid_token_id",
            )


def _read(request: CompletionRequest, tokenizer: Tokenizer, context: int) -> list[_ReadPrompt]:
    marks: FillInTheMiddle | None = None
    after: tuple[int, ...] = ()
    if request.suffix is not None:
        marks = tokenizer.fill_in_the_middle
        if marks is None:
            raise errors.bad_request(
                "This model cannot fill in text before a 'suffix'.", param="suffix"
            )
        (after,) = _encoded([request.suffix], tokenizer, context)
    texts = [prompt for prompt in request.prompts if isinstance(prompt, str)]
    encoded = _encoded(texts, tokenizer, context)
    several = len(request.prompts) > 1
    prompts = []
    for place, prompt in enumerate(request.prompts):
        ids = next(encoded) if isinstance(prompt, str) else prompt
        if isinstance(prompt, tuple):
            _check_tokens(prompt, f"prompt[{place}]" if several else "prompt", tokenizer.size)
        prompts.append(_arrange(prompt, ids, tokenizer, marks, after))
    return prompts


def _encoded(texts: Sequence[str], tokenizer: Tokenizer, context: int) -> Iterator[tuple[int, ...]]:
    """Encode texts, a few at a time: the tokenizer takes hundreds of bytes for each of theirs.

    Raises ApiError (400) for a text that cannot fit into the context, without encoding it, and for
    more than `MAX_PROMPT_TOKENS`.
    """
    total = 0
    for group in _groups(texts):
        for text in group:
            size = len(text.encode())
            if size > context * tokenizer.longest:
                raise errors.far_over_context(context, size)
        for ids in tokenizer.encode_batch(group):
            total += len(ids)
            if total > MAX_PROMPT_TOKENS:
                raise errors.bad_request(
                    f"The prompts have more than {MAX_PROMPT_TOKENS} tokens.", param="prompt"
                )
            yield ids


def _groups(texts: Sequence[str]) -> Iterator[list[str]]:
    """Split texts into groups of about `GROUP_CHARACTERS`, at least one text each."""
    group: list[str] = []
    size = 0
    for text in texts:
        if group and size + len(text) > GROUP_CHARACTERS:
            yield group
            group, size = [], 0
        group.append(text)
        size += len(text)
    if group:
        yield group


def _arrange(
    prompt: Prompt,
    ids: tuple[int, ...] | None,
    tokenizer: Tokenizer,
    marks: FillInTheMiddle | None,
    after: tuple[int, ...],
) -> _ReadPrompt:
    """Encode a prompt for the model.

    The documented default of `prompt` is the token between documents: the model reads it if there
    is no prompt, and it is echoed. For an empty prompt the model reads the same, but the echo is
    the empty text that was sent. Before a suffix, both mean that nothing precedes the gap. If the
    tokenizer puts a special token before every text, the model reads it before a text, but not
    before token ids, which are used as sent.
    """
    start = (tokenizer.document_start,)
    opening = () if isinstance(prompt, tuple) else tokenizer.opening
    if marks is not None:
        ids = ids or ()
        text = None if isinstance(prompt, tuple) else prompt or ""
        return _ReadPrompt(ids, text, opening + marks.arrange(ids, after), len(opening) + 1)
    if ids is None:
        return _ReadPrompt(start, tokenizer.text(start), start, 0)
    text = prompt if isinstance(prompt, str) else None
    return _ReadPrompt(ids, text, opening + ids or start, len(opening))


def _check_tokens(ids: tuple[int, ...], name: str, vocabulary: int) -> None:
    for token in ids:
        if token >= vocabulary:
            raise errors.bad_request(
                f"Invalid token in '{name}': {token}. Token ids of this model are below "
                f"{vocabulary}.",
                param="prompt",
                code="invalid_token_id",
            )
