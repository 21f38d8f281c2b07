"""From a checked request to work for the engine: checks that need the loaded model.

Which token ids exist, whether prompt and completion fit, and how a suffix is encoded.
"""

from dataclasses import dataclass

from reference_server.completions import errors
from reference_server.completions.schema import CompletionRequest, Prompt
from reference_server.engine.choice import ChoiceRequest
from reference_server.engine.engine import LoadedModel
from reference_server.engine.request import Generation
from reference_server.engine.sampling import SamplingParameters, fresh_seed
from reference_server.engine.tokenizer import FillInTheMiddle, Tokenizer


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
    prompts = _read(request, tokenizer)
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
    )
    seed = fresh_seed() if request.seed is None else request.seed
    return tuple(
        Generation(
            model_ids=prompt.model_ids,
            choice=ChoiceRequest(
                prompt.ids, prompt.text, limits[index], request.echo, request.stop
            ),
            sampling=sampling,
            candidates=request.best_of,
            seed=seed,
            prompt_index=index,
            alternatives=(request.logprobs or 0) if scored or ranks else None,
            score_prompt=scored and request.echo,
            prompt_start=prompt.start,
        )
        for index, prompt in enumerate(prompts)
    )


def _limit(request: CompletionRequest, prompt: _ReadPrompt, context: int) -> int:
    """The number of tokens that may follow a prompt; without a limit, all that fit.

    Raises ApiError (400) if they do not fit, or if there is no room at all.
    """
    room = context - len(prompt.model_ids)
    least = 1 if request.max_tokens is None else request.max_tokens
    if room < least:
        raise errors.over_context(context, len(prompt.model_ids), least)
    return room if request.max_tokens is None else request.max_tokens


def _check_bias(request: CompletionRequest, vocabulary: int) -> None:
    for token, _ in request.logit_bias:
        if token >= vocabulary:
            raise errors.bad_request(
                f"Invalid key in 'logit_bias': {token}. Token ids of this model are below "
                f"{vocabulary}.",
                param="logit_bias",
                code="invalid_token_id",
            )


def _read(request: CompletionRequest, tokenizer: Tokenizer) -> list[_ReadPrompt]:
    marks: FillInTheMiddle | None = None
    after: tuple[int, ...] = ()
    if request.suffix is not None:
        marks = tokenizer.fill_in_the_middle
        if marks is None:
            raise errors.bad_request(
                "This model cannot fill in text before a 'suffix'.", param="suffix"
            )
        after = tokenizer.encode(request.suffix)
    texts = [prompt for prompt in request.prompts if isinstance(prompt, str)]
    encoded = iter(tokenizer.encode_batch(texts))
    several = len(request.prompts) > 1
    prompts = []
    for place, prompt in enumerate(request.prompts):
        ids = next(encoded) if isinstance(prompt, str) else prompt
        if isinstance(prompt, tuple):
            _check_tokens(prompt, f"prompt[{place}]" if several else "prompt", tokenizer.size)
        prompts.append(_arrange(prompt, ids, tokenizer, marks, after))
    return prompts


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
