"""Faults of how a text is generated, each with the checks that must find it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from tests.conformance.checks import parameter_faults as made
from tests.conformance.checks.faulty import Body, Declined, Fault, TellStream
from tests.conformance.checks.parameter_faults import (
    Row,
    changes,
    choices,
    declines,
    drops,
)


def is_plain(body: Body) -> bool:
    return not body.get("stream")


def one_more_token(body: Body) -> Body:
    return {**body, "max_tokens": body["max_tokens"] + 1}


def fixed_seed(body: Body) -> Body:
    return {**body, "seed": 7} if body.get("seed") is not None else body


def silent_messages(body: Body) -> Body:
    return {**body, "prompt": "hello"} if "messages" in body else body


def quarrel(body: Body) -> Body:
    if "no_such_parameter" in body or "messages" in body:
        raise Declined(400, "bad request")
    return body


def sixteen(body: Body) -> Body:
    return {**body, "max_tokens": 16} if "max_tokens" not in body else body


def zero_is_one(body: Body) -> Body:
    return {**body, "max_tokens": body["max_tokens"] or 1}


def greedy(body: Body) -> Body:
    return {**body, "temperature": 0}


def warm_zero(body: Body) -> Body:
    return {**body, "temperature": 1 if body.get("temperature") == 0 else body.get("temperature")}


def warm_low(body: Body) -> Body:
    return {**body, "temperature": 1 if 0 < body["temperature"] < 0.1 else body["temperature"]}


def cool(body: Body) -> Body:
    return {**body, "temperature": min(0.3, body.get("temperature") or 1)}


def clipped(body: Body) -> Body:
    return {**body, "temperature": min(1, body.get("temperature", 1))}


def cold_unless_asked(body: Body) -> Body:
    return body if body.get("temperature") is not None else {**body, "temperature": 0}


def with_space_lost(body: Body) -> Body:
    return body if body.get("max_tokens") != 4 else {**body, "prompt": f"{body['prompt']} 0,"}


def seven_for_edges(body: Body) -> Body:
    return {**body, "seed": 7} if body.get("seed") in (0, -1, 2**63 - 1) else body


def bad_penalties(name: str, prefix: str) -> Iterator[Row]:
    """The faults that both penalties share."""
    yield "dropped", drops(name), f"{prefix}.effect"
    yield "high refused", declines(lambda b: (b.get(name) or 0) >= 2), f"{prefix}.maximum-served"
    yield "low refused", declines(lambda b: (b.get(name) or 0) <= -2), f"{prefix}.minimum-served"
    yield "zero refused", declines(lambda b: b.get(name) == 0), f"{prefix}.zero"
    null = declines(lambda b: name in b and b[name] is None)
    yield "null refused", null, f"{prefix}.null"
    negated = Fault(ask=lambda b: {**b, name: -b[name]} if b.get(name) else b)
    yield "negated", negated, f"{prefix}.formula {prefix}.formula-in-every-way"
    clipped = changes(lambda b: (b.get(name) or 0) < 0, **{name: 0})
    yield "below zero taken for zero", clipped, f"{prefix}.lowest-effect"
    zero = changes(lambda b: name in b and not b[name], **{name: 2})
    yield "zero taken for two", zero, f"{prefix}.zero {prefix}.null"
    for sign, which in ((-1, "favoured"), (1, "penalised")):
        on_prompt = Fault(ask=made.penalise_prompt(sign))
        yield f"prompt {which}", on_prompt, f"{prefix}.prompt-not-{which}"


def unlimited(body: Body) -> Body:
    """An answer goes on where no limit is set."""
    return {"max_tokens": 100, **body}


def as_far_as_it_came() -> TellStream:
    """Of an answer that is hung up on, a little more or less arrives each time."""
    calls = count()
    return lambda body, chunks: (
        chunks if body.get("max_tokens") else chunks[: len(chunks) - next(calls) % 3]
    )


def of_max_tokens() -> Iterator[Row]:
    """Faults of max_tokens."""
    without = "max-tokens.few max-tokens.each-of-batch"
    yield "max_tokens ignored", changes(max_tokens=40), without
    yield "max_tokens dropped", drops("max_tokens", when=is_plain), "max-tokens.few"
    yield "one token too many", Fault(ask=one_more_token), "max-tokens.each-of-batch"
    streams = drops("max_tokens", when=lambda b: bool(b.get("stream")))
    yield "max_tokens dropped in streams", streams, ""
    yield "short ones differ", Fault(ask=with_space_lost), "max-tokens.longer-extends"
    default = changes(lambda b: "max_tokens" not in b, max_tokens=30)
    yield "default 30", default, "max-tokens.default"
    short = changes(lambda b: "max_tokens" not in b, max_tokens=8)
    yield "default 8", short, "max-tokens.default"
    yield "no default", Fault(unlimited, tell_stream=as_far_as_it_came()), "max-tokens.default"
    null = changes(lambda b: "max_tokens" in b and b["max_tokens"] is None, max_tokens=100)
    yield "null unlimited", null, "max-tokens.null"
    yield "default 16", Fault(ask=sixteen), "max-tokens.unlimited"
    one_for_none = Fault(ask=zero_is_one)
    yield (
        "zero taken for one",
        one_for_none,
        "max-tokens.zero-generates-nothing max-tokens.zero-alone",
    )
    yield "no numbers", Fault(decline=made.numberless), "max-tokens.over-context-named"


def of_temperature() -> Iterator[Row]:
    """Faults of temperature."""
    hot = declines(lambda b: (b.get("temperature") or 0) > 1)
    yield "hot refused", hot, "temperature.maximum-served"
    yield (
        "zero refused",
        declines(lambda b: b.get("temperature") == 0),
        "temperature.minimum-served",
    )
    zero = "temperature.zero-repeats temperature.zero-in-every-way"
    yield "zero samples", Fault(ask=warm_zero), zero
    warm = "temperature.maximum-varies temperature.repeats-vary temperature.default-varies"
    yield "always greedy", Fault(ask=greedy), f"{warm} temperature.null-varies n.samples-differ"
    yield "always greedy too", Fault(ask=greedy), "seed.others-differ seed.copies-differ"
    low = "temperature.low-in-every-way"
    yield "low samples", Fault(ask=warm_low), low
    yield "cool", Fault(ask=cool), "temperature.law temperature.default-law"
    yield "not above 1", Fault(ask=clipped), "temperature.maximum-law"
    unasked = "temperature.default-varies temperature.null-varies temperature.default-as-one"
    yield "greedy by default", Fault(ask=cold_unless_asked), unasked
    null = changes(lambda b: "temperature" in b and b["temperature"] is None, temperature=0)
    yield "null greedy", null, "temperature.null-as-one temperature.null-in-every-way"
    nulls = declines(lambda b: "temperature" in b and b["temperature"] is None)
    yield "null refused", nulls, "temperature.null-served"
    pair = declines(lambda b: "temperature" in b and "top_p" in b)
    yield "not both", pair, "temperature.with-top-p"
    yield "not both, 500", declines(lambda b: "top_p" in b, 500), "temperature.with-top-p-harmless"
    yield "cached", Fault(tell=made.Replay()), "temperature.repeats-vary"
    streams = Fault(tell_stream=made.ReplayOfStreams())
    yield "streams cached", streams, "temperature.repeats-vary-in-every-way"


def of_top_p() -> Iterator[Row]:
    """Faults of top_p."""
    yield "top_p 1 refused", declines(lambda b: b.get("top_p") == 1), "top-p.one-served"
    yield "top_p small refused", declines(lambda b: b.get("top_p", 1) < 0.1), "top-p.small-served"
    narrow = "top-p.narrow-is-greedy top-p.narrow-is-greedy-in-copies top-p.narrow-in-every-way"
    yield "top_p dropped", drops("top_p"), narrow
    yield "top_p 0 taken for none", drops("top_p", when=lambda b: b.get("top_p") == 0), "top-p.zero"
    null = changes(lambda b: "top_p" in b and b["top_p"] is None, top_p=0.0001)
    yield "null narrows", null, "top-p.null top-p.null-as-one top-p.null-in-every-way"


def of_n() -> Iterator[Row]:
    """Faults of n."""
    yield "n dropped", drops("n"), "n.choices"
    streams = drops("n", when=lambda b: bool(b.get("stream")))
    yield "n dropped in streams", streams, "n.choices-streamed"
    yield "n dropped in batches", drops("n", when=made.is_batch), "n.choices-of-batch"
    last_lost = Fault(tell=choices(lambda _, of: of[:-1] if len(of) > 1 else of))
    yield "a choice lost", last_lost, "n.choices"
    yield (
        "two by default",
        changes(lambda b: "n" not in b, n=2),
        ("n.one-by-default n.one-by-default-in-batch"),
    )
    copied = Fault(tell=choices(made.first_choice_for_all))
    yield "copies", copied, "n.samples-differ seed.copies-differ"
    of_batch = Fault(tell=choices(made.first_of_prompt_for_all))
    yield "copies in a batch", of_batch, "n.samples-differ-in-every-way"
    streamed = Fault(tell_stream=made.first_stream_for_all)
    yield "copies in a stream", streamed, "n.samples-differ-in-every-way"


def of_best_of() -> Iterator[Row]:
    """Faults of best_of."""
    equal = declines(lambda b: b.get("best_of") == b.get("n") == 2)
    yield "best_of equal refused", equal, "best-of.equal-served"
    alone = declines(lambda b: (b.get("n") or 1) > 1 and "best_of" not in b)
    yield "n refused without best_of", alone, "best-of.omitted best-of.omitted-in-stream"
    yield "all returned", Fault(ask=made.copies_made), "best-of.returns-one best-of.returns-n"
    yield "best_of dropped", drops("best_of"), "best-of.picks-the-likelier best-of.equal-refused"


def of_penalties() -> Iterator[Row]:
    """Faults of penalties."""
    yield from bad_penalties("presence_penalty", "presence-penalty")
    yield from bad_penalties("frequency_penalty", "frequency-penalty")


def of_logit_bias() -> Iterator[Row]:
    """Faults of logit_bias."""
    yield "logit_bias dropped", drops("logit_bias"), "logit-bias.forces"
    unbanned = drops("logit_bias", when=lambda b: -100 in (b.get("logit_bias") or {}).values())
    yield "ban dropped", unbanned, "logit-bias.bans"
    ends = declines(lambda b: len(b.get("logit_bias") or {}) == 2)
    yield "ends refused", ends, "logit-bias.ends-served"
    no_bias = declines(lambda b: "logit_bias" in b and not b["logit_bias"])
    yield "no bias refused", no_bias, "logit-bias.none logit-bias.null"


def of_seed() -> Iterator[Row]:
    """Faults of seed."""
    repeating = "seed.repeats seed.zero-repeats"
    yield "seed lost", drops("seed"), "seed.repeats-in-every-way"
    yield "seed dropped", drops("seed"), repeating
    null = changes(lambda b: "seed" in b and b["seed"] is None, seed=7)
    yield "null taken for a number", null, "seed.null-repeats"
    zero = changes(lambda b: "seed" in b and b["seed"] is None, seed=0)
    yield "null taken for 0", zero, "seed.null"
    low = Fault(ask=lambda b: {**b, "seed": b["seed"] % 2**31} if b.get("seed") else b)
    yield "31 bits of a seed", low, "seed.large-told-apart"
    unsigned = Fault(ask=lambda b: {**b, "seed": abs(b["seed"])} if b.get("seed") else b)
    yield "no sign of a seed", unsigned, "seed.negative-told-apart"
    yield "zero no seed", drops("seed", when=lambda b: b.get("seed") == 0), "seed.zero-repeats"
    yield "one seed for all", Fault(ask=fixed_seed), "seed.others-differ seed.edges-told-apart"
    yield "one seed", Fault(ask=fixed_seed), "seed.others-differ-in-every-way"
    yield "edges the same", Fault(ask=seven_for_edges), "seed.edges-told-apart"
    large = declines(lambda b: (b.get("seed") or 0) > 2**31)
    yield "large seeds refused", large, "seed.edges-told-apart"
    yield "default seed 2", changes(lambda b: "seed" not in b, seed=2), "seed.default-one"


def of_user_and_unknown_key() -> Iterator[Row]:
    """Faults of user_and_unknown_key."""
    yield "user in the prompt", Fault(ask=made.user_in_prompt), "user.no-effect user.chinese"
    yield "user refused", declines(lambda b: "user" in b), "user.no-effect"
    unnamed = Fault(ask=quarrel)
    yield "unknown key not named", unnamed, "unknown-key.harmless unknown-key.messages"
    yield "messages heeded", Fault(ask=silent_messages), ""
    unknown = declines(lambda b: "no_such_parameter" in b or "messages" in b, 500)
    yield "500 for an unknown key", unknown, "unknown-key.harmless unknown-key.messages"
