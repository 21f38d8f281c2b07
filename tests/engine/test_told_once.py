"""One cause is told in one finding, and two causes in two."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.message import say
from conformance.model import Effect, Exchange, Level, Place, Role, Verdict
from tests.engine.test_attribution import a_deviation, roots
from tests.report.builders import an_exchange

GREEDY: dict[str, Any] = {"model": "m", "prompt": "0", "max_tokens": 16, "temperature": 0}
SERVED: dict[str, Any] = {"place": Place.SERVED}
SHOWN = {"x1": Role.PROBE}


def with_body(key: str = "x1", request: dict[str, Any] | None = None, **body: Any) -> Exchange:
    return an_exchange(key, request=request or GREEDY, body=body)


def counted(check: str, expected: int, seen: int, name: str = "completion_tokens", **more: Any):
    return a_deviation(
        check,
        effect=Effect.ALTERED,
        expected=say("{name} = {value}", name=name, value=str(expected)),
        seen=say("{name} = {value}", name=name, value=str(seen)),
        **more,
    )


# ── the same promise ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("first", "second", "changes", "is_told"),
    [
        pytest.param("streaming.text-emoji", "streaming.text-words", {}, True, id="one promise"),
        pytest.param("seed.repeats", "streaming.text-words", {}, False, id="two promises"),
        pytest.param(
            "streaming.text-emoji",
            "streaming.text-words",
            {"effect": Effect.REFUSED},
            False,
            id="wrong, and refused",
        ),
    ],
)
def test_broken_promise_is_told_once(first, second, changes, is_told) -> None:
    owner = a_deviation(first, effect=Effect.ALTERED)
    again = a_deviation(second, **{"effect": Effect.IGNORED, **changes})
    assert roots(owner, again) == ({again.id: owner.id} if is_told else {})


def test_failure_is_not_told_by_warning() -> None:
    warns = a_deviation("streaming.text-emoji", verdict=Verdict.WARN, effect=Effect.ALTERED)
    assert roots(warns, a_deviation("streaming.text-words")) == {}


def test_must_is_not_told_by_may() -> None:
    changes = {"verdict": Verdict.WARN, "effect": Effect.ALTERED, "level": Level.MAY}
    may = a_deviation("streaming.text-emoji", **changes)
    must = a_deviation("streaming.text-words", verdict=Verdict.WARN, level=Level.MUST)
    assert roots(may, must) == {}


def test_promise_of_another_cause_tells_nothing() -> None:
    # The missing member explains the first, but not what the second one is about.
    missing = a_deviation("envelope.created", exchanges=("x1",))
    first = a_deviation("envelope.created-is-now", exchanges=("x1",), effect=Effect.ALTERED)
    second = a_deviation("envelope.created-moves-on", exchanges=("x2",))
    exchanges = (with_body(), with_body("x2", created=1_496_126_285))
    assert roots(missing, first, second, exchanges=exchanges) == {first.id: missing.id}


# ── counts ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("one", "other", "is_told"),
    [
        pytest.param((1, 0), (32, 0), True, id="zero"),
        pytest.param((1, 2), (32, 64), True, id="twice"),
        pytest.param((1, 0), (32, 31), True, id="one less"),
        pytest.param((1, 64), (32, 64), True, id="always 64"),
        pytest.param((1, 8), (30, 32), True, id="rounded up to 8"),
        pytest.param((1, 2), (32, 16), False, id="one more, and the first of a batch"),
        pytest.param((16, 15), (32, 16), False, id="one less, and the first of a batch"),
    ],
)
def test_counts_wrong_in_one_way(one, other, is_told) -> None:
    alone = counted("usage.completion-at-one", *one)
    batch = counted("usage.completion-of-prompts", *other)
    assert roots(alone, batch) == ({batch.id: alone.id} if is_told else {})


@pytest.mark.parametrize(("seen", "is_told"), [(0, True), (14, False)])
def test_prompt_is_another_count(seen: int, is_told: bool) -> None:
    completion = counted("usage.completion-at-one", 1, 0)
    prompt = counted("usage.prompt-once-for-copies", 15, seen, "prompt_tokens")
    assert roots(completion, prompt) == ({prompt.id: completion.id} if is_told else {})


@pytest.mark.parametrize(("seen", "is_told"), [(54, True), (27, False)])
def test_hidden_prompt_is_billed_once_each_request(seen: int, is_told: bool) -> None:
    batch_of_two = with_body("x2", {**GREEDY, "prompt": ["0", "1"]})
    hidden = counted("usage.prompt-has-tokens", 5, 13, "prompt_tokens", exchanges=("x1",))
    summed = counted("usage.prompts-of-batch", 66, seen, "prompt_tokens", exchanges=("x2",))
    found = roots(hidden, summed, exchanges=(with_body(), batch_of_two))
    assert found == ({summed.id: hidden.id} if is_told else {})


@pytest.mark.parametrize(("echo", "is_told"), [(True, True), (False, False)])
def test_billed_echo_explains_echoes(echo: bool, is_told: bool) -> None:
    exchanges = (
        with_body("x1", {**GREEDY, "echo": True}),
        with_body("x2", {**GREEDY, "echo": echo}),
    )
    billed = counted("usage.echo-not-completion", 16, 43, exchanges=("x1",))
    limit = counted("usage.limit-everywhere", 16, 30, exchanges=("x2",))
    assert roots(billed, limit, exchanges=exchanges) == ({limit.id: billed.id} if is_told else {})


# ── what a claim takes for granted ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("base", "claim", "body", "is_told"),
    [
        ("envelope.id", "envelope.id-prefix", {}, True),
        ("envelope.id", "envelope.id-prefix", {"id": "chatcmpl-1"}, False),
        ("envelope.created", "envelope.created-is-now", {"created": 1_796_126_285_000}, True),
        ("envelope.created", "envelope.created-is-now", {"created": 1_496_126_285}, False),
        ("envelope.model", "model.named-in-answer", {"model": None}, True),
        ("envelope.model", "model.named-in-answer", {"model": "another"}, False),
    ],
)
def test_value_of_a_missing_member(base, claim, body, is_told) -> None:
    owner = a_deviation(base, exchanges=("x1",))
    value = a_deviation(claim, exchanges=("x1",), verdict=Verdict.WARN)
    found = roots(owner, value, exchanges=(with_body(**body),))
    assert found == ({value.id: owner.id} if is_told else {})


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 1}])
def test_usage_is_missing_everywhere(usage: object) -> None:
    plain = a_deviation("usage.present", Place.USAGE, exchanges=("x1",))
    stream = a_deviation("stream-options.usage-chunk", Place.STREAM_USAGE, exchanges=("x2",))
    streamed = {**GREEDY, "stream": True, "stream_options": {"include_usage": True}}
    exchanges = (with_body(), with_body("x2", streamed), with_body("x3", usage=usage))
    told = {stream.id: plain.id} if usage is None else {}
    assert roots(plain, stream, exchanges=exchanges) == told


@pytest.mark.parametrize(("subject", "is_told"), [("temperature", True), ("max-tokens", False)])
def test_word_served_explains_number_in_string(subject: str, is_told: bool) -> None:
    exchanges = (
        with_body("x1", {**GREEDY, "temperature": "hot"}),
        with_body("x2", {**GREEDY, subject.replace("-", "_"): "1"}),
    )
    check = f"{subject}.number-in-string-refused"
    of_word, of_number = ({**SERVED, "subject": name} for name in ("temperature", subject))
    word = a_deviation("temperature.word-refused", exchanges=("x1",), **of_word)
    number = a_deviation(check, exchanges=("x2",), verdict=Verdict.WARN, **of_number)
    assert roots(word, number, exchanges=exchanges) == ({number.id: word.id} if is_told else {})


@pytest.mark.parametrize(("effect", "is_told"), [(Effect.IGNORED, True), (Effect.ALTERED, False)])
def test_parameter_without_effect_has_no_range(effect: Effect, is_told: bool) -> None:
    forces = a_deviation("logit-bias.forces", effect=effect, sees_effect=True, exchanges=("x1",))
    above = a_deviation("logit-bias.above-refused", exchanges=("x2",), **SERVED)
    exchanges = (with_body(), with_body("x2", {**GREEDY, "logit_bias": {"1": 101}}))
    assert roots(forces, above, exchanges=exchanges) == ({above.id: forces.id} if is_told else {})


@pytest.mark.parametrize(("other", "is_told"), [("cmpl-1", True), ("cmpl-2", False)])
def test_one_completion_for_invalid_requests(other: str, is_told: bool) -> None:
    exchanges = (with_body("x1", id="cmpl-1"), with_body("x2", id=other))
    malformed = a_deviation("errors.malformed-json", exchanges=("x1",), **SERVED)
    key = a_deviation("auth.wrong-key", exchanges=("x2",), **SERVED)
    assert roots(key, malformed, exchanges=exchanges) == ({key.id: malformed.id} if is_told else {})


# ── changed texts ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("echoed", "is_told"),
    [("一二 ?", True), ("一二🍎 ", False), ("HE 一二🍎 !", False)],
    ids=["emoji again", "its end", "other characters"],
)
def test_echo_is_changed_like_every_text(echoed: str, is_told: bool) -> None:
    tokens = {"tokens": ["🌙", " ", "🌙"], "token_logprobs": [-1.0] * 3}
    choice = {"index": 0, "text": "? ?", "logprobs": tokens, "finish_reason": "length"}
    echo = {**choice, "text": echoed, "logprobs": None}
    asked = {**GREEDY, "prompt": "一二🍎 !" if not is_told else "一二 🍎", "max_tokens": 0}
    exchanges = (
        with_body("x1", {**GREEDY, "logprobs": 1}, choices=[choice]),
        with_body("x2", {**asked, "echo": True}, choices=[echo]),
    )
    join = a_deviation("logprobs-arrays.join", Place.TOKENS, exchanges=("x1",))
    changed = a_deviation("echo.awkward-text", Place.ECHO, exchanges=("x2",))
    found = roots(join, changed, exchanges=exchanges)
    assert found == ({changed.id: join.id} if is_told else {})


# ── two causes stay two ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("copies", "is_told"), [({}, False), ({"n": 2}, True)])
def test_ignored_n_explains_no_batch(copies: dict[str, int], is_told: bool) -> None:
    exchanges = (
        with_body("x1", {**GREEDY, "n": 2}),
        with_body("x2", {**GREEDY, **copies, "prompt": ["0", "1"]}),
    )
    ignored = a_deviation("n.choices", Place.CHOICES, exchanges=("x1",))
    index = a_deviation("index.of-prompts", exchanges=("x2",), effect=Effect.ALTERED)
    assert roots(ignored, index, exchanges=exchanges) == ({index.id: ignored.id} if is_told else {})


@pytest.mark.parametrize(
    ("check", "place", "is_told"),
    [
        ("echo.then-completion", None, False),
        ("temperature.word-refused", Place.SERVED, False),
        ("stream-options.needs-stream", Place.SERVED, True),
        ("usage.total", Place.STREAM_USAGE, True),
        ("headers.content-type", None, True),
    ],
)
def test_unasked_stream_can_be_read(check: str, place: Place | None, is_told: bool) -> None:
    plain, other = (
        an_exchange(
            key,
            request={**GREEDY, "temperature": temperature},
            body=b'data: {"choices":[{"text":" 1"}]}\n\n',
            content_type="text/event-stream",
        )
        for key, temperature in (("x1", 0), ("x2", 3))
    )
    unasked = a_deviation("stream.absent-is-plain", exchanges=("x1", "x2"))
    claim = a_deviation(check, place, exchanges=("x2",), effect=Effect.ALTERED)
    found = roots(unasked, claim, exchanges=(plain, other))
    assert found == ({claim.id: unasked.id} if is_told else {})


def test_spaces_of_echoes_explain_no_stop() -> None:
    choices = [{"index": 0, "text": "red ", "finish_reason": "length"}]
    echo = [{"index": 0, "text": "ab", "finish_reason": "length"}]
    exchanges = (
        with_body("x1", {**GREEDY, "prompt": "a b", "echo": True}, choices=echo),
        with_body("x2", {**GREEDY, "stop": " green"}, choices=choices),
    )
    spaces = a_deviation("echo.awkward-text", Place.ECHO, exchanges=("x1",))
    stop = a_deviation("stop.string", exchanges=("x2",), effect=Effect.ALTERED)
    assert roots(spaces, stop, exchanges=exchanges) == {}


def test_events_of_streams_explain_no_plain_index() -> None:
    stream = an_exchange("x1", request={**GREEDY, "stream": True}, content_type="text/event-stream")
    plain = with_body("x2", {**GREEDY, "prompt": ["0", "1"]}, choices=[])
    events = a_deviation("streaming.event-json", Place.EVENTS, exchanges=("x1",))
    index = a_deviation("index.prompt-order", exchanges=("x2",), effect=Effect.ALTERED)
    assert roots(events, index, exchanges=(stream, plain)) == {}


@pytest.mark.parametrize(("place", "is_told"), [(None, False), (Place.LOGPROBS, True)])
def test_number_of_entries_explains_no_missing_ones(place: Place | None, is_told: bool) -> None:
    exchanges = (with_body("x1", {**GREEDY, "echo": True, "logprobs": 1}), with_body("x2"))
    covered = a_deviation("echo-logprobs.counted-as-billed", place, exchanges=("x1",))
    missing = a_deviation("logprobs.above-maximum", Place.LOGPROBS, exchanges=("x2",))
    found = roots(covered, missing, exchanges=exchanges)
    assert (missing.id in found) is is_told


def test_choices_without_text_break_no_run() -> None:
    tokens = {"tokens": ["0"], "token_logprobs": [None]}
    choices = [{"index": 0, "message": {}, "logprobs": tokens, "finish_reason": "length"}]
    exchange = with_body("x1", {**GREEDY, "echo": True, "logprobs": 1}, choices=choices)
    covered = a_deviation("echo-logprobs.counted-as-billed", Place.PROMPT_SCORES, exchanges=("x1",))
    assert roots(covered, exchanges=(exchange,)) == {}
