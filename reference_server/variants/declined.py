"""Features that a server does not serve, and declines cleanly: optional under the live contract."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.modifiers import is_batch
from reference_server.behaviour.pieces import both, declines, drops
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite
from reference_server.variants._requests import KNOWN, asks_for, has_tokens, is_several


@variant("no-echo", refuses="echo")
def no_echo() -> Behaviour:
    """``echo`` is declined with 400, as by a server that cannot return its prompt."""
    return declines(asks_for("echo"), "echo is not supported", param="echo")


@variant("no-logprobs", refuses="logprobs")
def no_logprobs() -> Behaviour:
    """``logprobs`` is declined with 400 and a Chinese sentence."""
    return declines(asks_for("logprobs"), "该模型不支持 logprobs 参数", param="logprobs")


@variant("no-echo-with-logprobs", refuses="echo logprobs")
def no_echo_with_logprobs() -> Behaviour:
    """``echo`` and ``logprobs`` are each served, and declined together, as the live API does."""
    return declines(
        _all("echo", "logprobs"),
        "Setting 'echo' and 'logprobs' at the same time is not supported for this model.",
    )


@variant("no-suffix", refuses="suffix")
def no_suffix() -> Behaviour:
    """``suffix`` is declined with 400, as vLLM does."""
    return declines(asks_for("suffix"), "suffix is not currently supported", kind="BadRequestError")


@variant("no-best-of", refuses="best_of")
def no_best_of() -> Behaviour:
    """``best_of`` is declined with 400, whatever its value."""
    return declines(asks_for("best_of"), "best_of is not supported.", param="best_of")


@variant("no-n", refuses="n best_of")
def no_n() -> Behaviour:
    """One choice is made for each prompt: an ``n`` or ``best_of`` above 1 is declined."""
    return declines(
        lambda asked: is_several(asked.get("n")) or is_several(asked.get("best_of")),
        "Only n = 1 is supported.",
        param="n",
    )


@variant("few-choices", refuses="n best_of")
def few_choices() -> Behaviour:
    """At most four choices are made for a prompt: more are declined."""
    return declines(
        lambda asked: any(_above(asked.get(name), 4) for name in ("n", "best_of")),
        "n and best_of must be at most 4.",
        param="n",
    )


@variant("no-greedy-copies", refuses="n best_of")
def no_greedy_copies() -> Behaviour:
    """Several choices at temperature 0 are declined: they could only be copies."""
    return declines(
        lambda asked: (
            asked.get("temperature") == 0
            and (is_several(asked.get("n")) or is_several(asked.get("best_of")))
        ),
        "n must be 1 when using greedy sampling.",
        param="n",
    )


@variant("no-logit-bias", refuses="logit_bias")
def no_logit_bias() -> Behaviour:
    """``logit_bias`` is declined with 400."""
    return declines(asks_for("logit_bias"), "logit_bias is not supported", param="logit_bias")


@variant("no-penalties", refuses="presence_penalty frequency_penalty")
def no_penalties() -> Behaviour:
    """Both penalties are declined with 400, unless they are 0."""
    return declines(
        lambda asked: any(asked.get(f"{kind}_penalty") for kind in ("presence", "frequency")),
        "presence_penalty and frequency_penalty are not supported by this model.",
    )


@variant("no-seed", refuses="seed")
def no_seed() -> Behaviour:
    """``seed`` is declined with 400."""
    return declines(asks_for("seed"), "Unsupported parameter: 'seed'", param="seed")


@variant("no-user", refuses="user")
def no_user() -> Behaviour:
    """``user`` is declined as any key that the server does not know."""
    return declines(asks_for("user"), "Unrecognized request argument supplied: user")


@variant("no-stream-options", refuses="stream_options")
def no_stream_options() -> Behaviour:
    """``stream_options`` is declined as any key that the server does not know."""
    return declines(
        asks_for("stream_options"),
        "Unrecognized request argument supplied: stream_options",
        param="stream_options",
    )


@variant("no-token-prompts", refuses="prompt:tokens")
def no_token_prompts() -> Behaviour:
    """Prompts of token ids are declined, alone and in batches."""
    return declines(has_tokens, "prompt must be a string or a list of strings", param="prompt")


@variant("no-batches", refuses="prompt:batch")
def no_batches() -> Behaviour:
    """More than one prompt in a request is declined; an array with one is served."""
    return declines(is_batch, "batched prompts are not supported", param="prompt")


@variant("only-strings", refuses="prompt:batch prompt:tokens")
def only_strings() -> Behaviour:
    """A prompt is a string: every array is declined."""
    return declines(
        lambda asked: isinstance(asked.get("prompt"), list),
        "'prompt' must be a string",
        param="prompt",
    )


@variant("no-empty-prompt", refuses="prompt")
def no_empty_prompt() -> Behaviour:
    """A prompt that is empty, null or absent is declined."""
    return declines(
        lambda asked: asked.get("prompt") in (None, "", [""]),
        "prompt is required and must not be empty",
        param="prompt",
    )


@variant("no-empty-stop", refuses="stop")
def no_empty_stop() -> Behaviour:
    """A ``stop`` that is empty, or has an empty sequence, is declined."""

    def is_empty(asked: Body) -> bool:
        stop = asked.get("stop")
        return stop in ("", []) or (isinstance(stop, list) and "" in stop)

    return declines(is_empty, "stop sequences must not be empty", param="stop")


@variant("no-zero-tokens", refuses="max_tokens echo")
def no_zero_tokens() -> Behaviour:
    """``max_tokens: 0`` is declined, with ``echo`` too: something has to be generated."""
    return declines(
        lambda asked: asked.get("max_tokens") == 0,
        "max_tokens must be at least 1, got 0.",
        param="max_tokens",
    )


@variant("zero-tokens-without-echo")
def zero_tokens_without_echo() -> Behaviour:
    """``max_tokens: 0`` without ``echo`` is answered with empty text, and nothing is billed."""

    def generates_nothing(asked: Body) -> bool:
        return asked.get("max_tokens") == 0 and asked.get("echo") is not True

    def ask(asked: Body) -> Body:
        return {**asked, "max_tokens": 1} if generates_nothing(asked) else asked

    def emptied(asked: Body, whole: Body) -> Body:
        if not generates_nothing(asked):
            return whole
        none: Body = {"tokens": [], "token_logprobs": [], "top_logprobs": [], "text_offset": []}
        told = [
            {**c, "text": "", "logprobs": c["logprobs"] and none, "finish_reason": "length"}
            for c in whole["choices"]
        ]
        bill = whole.get("usage")
        if bill:
            prompt = bill["prompt_tokens"]
            bill = {"prompt_tokens": prompt, "completion_tokens": 0, "total_tokens": prompt}
        return {**whole, "choices": told, **({"usage": bill} if "usage" in whole else {})}

    def chunks(asked: Body, sent: list[Body]) -> list[Body]:
        return [emptied(asked, chunk) for chunk in sent]

    return Rewrite(ask=ask, plain=emptied, chunks=chunks)


@variant("no-streamed-extras", refuses="echo logprobs n prompt:batch")
def no_streamed_extras() -> Behaviour:
    """A stream is one bare answer: with ``echo``, ``logprobs``, ``n`` or a batch it is declined."""
    return declines(
        lambda asked: (
            asked.get("stream") is True
            and (
                asks_for("echo")(asked)
                or asks_for("logprobs")(asked)
                or is_several(asked.get("n"))
                or is_batch(asked)
            )
        ),
        "this combination of parameters cannot be streamed",
        param="stream",
    )


@variant("no-suffix-with-echo-or-batch", refuses="suffix")
def no_suffix_with_echo_or_batch() -> Behaviour:
    """``suffix`` is served alone, and declined beside ``echo`` or in a batch."""
    return declines(
        lambda asked: (
            asked.get("suffix") is not None and (asked.get("echo") is True or is_batch(asked))
        ),
        "suffix cannot be combined with echo or several prompts",
        param="suffix",
    )


@variant("no-old-extras", refuses="suffix echo best_of logit_bias logprobs prompt:tokens")
def no_old_extras() -> Behaviour:
    """All that chat models never had is declined at once: a small server with a short manual."""
    old = ("suffix", "echo", "best_of", "logit_bias", "logprobs")
    return declines(
        lambda asked: has_tokens(asked) or any(asks_for(name)(asked) for name in old),
        "this server supports prompt, max_tokens, temperature, top_p, n, stream, stop, seed and "
        "penalties",
        code="unsupported_parameter",
    )


@variant("capped-logprobs")
def capped_logprobs() -> Behaviour:
    """``logprobs`` above 5 counts as 5, as was seen of the live API."""
    return Rewrite(
        ask=lambda asked: {**asked, "logprobs": 5} if _above(asked.get("logprobs"), 5) else asked
    )


@variant("unknown-keys-ignored")
def unknown_keys_ignored() -> Behaviour:
    """Keys that the endpoint does not have are ignored, as most servers do."""
    return Rewrite(
        ask=lambda asked: {name: value for name, value in asked.items() if name in KNOWN}
    )


@variant("user-unread")
def user_unread() -> Behaviour:
    """``user`` never gets to the model's server, and unknown keys are declined in another way."""
    return both(
        drops("user", when=lambda asked: isinstance(asked.get("user"), str | None)),
        Rewrite(
            refusal=lambda asked, envelope: (
                {"error": {**envelope["error"], "message": "Extra inputs are not permitted"}}
                if set(asked) - KNOWN
                else envelope
            )
        ),
    )


def _all(*names: str) -> Callable[[Body], bool]:
    return lambda asked: all(asks_for(name)(asked) for name in names)


def _above(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > most
