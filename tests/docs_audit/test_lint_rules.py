"""Every rule finds its violation and nothing on the corrected page."""

from __future__ import annotations

from dataclasses import replace

from conformance.docs_audit.lint import RULES, lint
from conformance.docs_audit.page import Elsewhere, Page, Sample
from tests.cases import for_each_case
from tests.docs_audit.builders import (
    ARRAYS,
    DESCRIPTION,
    SCORED,
    SOUND,
    STREAM,
    STREAMED,
    a_chunk,
    a_page,
    a_parameter,
    a_sample,
    an_answer,
    an_example,
    code,
    scored,
    with_answer,
    with_example,
    with_parameter,
    with_stream,
)


def without(field: str) -> dict[str, object]:
    """An answer that lacks a field."""
    return {name: value for name, value in an_answer().items() if name != field}


def beside(sample: Sample) -> Page:
    """A page with one more sample, which answers one more example with another prompt."""
    other = an_example("other", request={"prompt": "Never"})
    return a_page(examples=(*SOUND.examples, other), samples=(*SOUND.samples, sample))


# Each row: the rule, a page that breaks it and no other, where, and what the finding has to name.
BROKEN: list[tuple[str, Page, str, str]] = [
    (
        "parameter.required-not-said",
        with_parameter("stop", required=None),
        "parameters",
        "no mark for stop",
    ),
    (
        "parameter.required-not-said",
        a_page(parameters=tuple(replace(p, required=None) for p in SOUND.parameters)),
        "parameters",
        "no mark at all",
    ),
    ("parameter.no-heading", with_parameter("stop", stated_in="seed"), "parameters: stop", "seed"),
    (
        "parameter.two-in-one",
        with_parameter("prompt", written="prompt / messages"),
        "parameters: prompt / messages",
        "prompt and messages",
    ),
    (
        "type.said-otherwise",
        with_parameter("logprobs", elsewhere=(Elsewhere("its text", "boolean"),)),
        "parameters: logprobs",
        "in its text as boolean",
    ),
    (
        "type.not-what-is-taken",
        a_page(parameters=(*SOUND.parameters, a_parameter("seed", "string"))),
        "parameters: seed",
        "seed is integer",
    ),
    (
        "type.items-of-no-array",
        with_parameter("stop", type="string or null"),
        "parameters: stop",
        "at most 4 items",
    ),
    (
        "default.missing",
        with_parameter("temperature", has_default=False, default=None),
        "parameters",
        "no default for temperature a client that omits it",
    ),
    (
        "default.missing",
        with_parameter("n", has_default=False, default=None),
        "parameters",
        "no default for n ",
    ),
    (
        "default.no-value",
        with_parameter("max_tokens", default="inf"),
        "parameters: max_tokens",
        "inf is not of type integer",
    ),
    (
        "default.no-value",
        with_parameter("best_of", default=True),
        "parameters: best_of",
        "true is not of type integer",
    ),
    (
        "default.null-not-allowed",
        with_parameter("stop", type="string or array"),
        "parameters",
        "default null for stop",
    ),
    (
        "default.breaks-own-rule",
        with_parameter("best_of", default=1),
        "parameters: best_of",
        "best_of 1, n 1",
    ),
    (
        "request.type",
        with_example(request={"temperature": "0"}),
        "examples: curl",
        "temperature is string, listed as number",
    ),
    ("request.required-missing", with_example(request={"model": None}), "examples: curl", "model"),
    ("request.unlisted", with_example(request={"seed": 7}), "examples: curl", "seed: 7"),
    (
        "request.out-of-range",
        with_example(request={"n": 0}),
        "examples: curl",
        "at least 1",
    ),
    ("request.out-of-range", with_example(request={"temperature": 2.5}), "examples: curl", "2.5"),
    (
        "request.out-of-range",
        with_example(request={"stop": list("vwxyz")}),
        "examples: curl",
        "at most 4 items",
    ),
    (
        "request.out-of-range",
        a_page(
            parameters=(*SOUND.parameters, a_parameter("suffix", "string", values=("a", "b"))),
            examples=(*SOUND.examples, an_example("suffix", request={"suffix": "c"})),
        ),
        "examples: suffix",
        'the page allows only "a" and "b"',
    ),
    (
        "request.not-together",
        with_example(request={"temperature": 0, "top_p": 1}),
        "examples: curl",
        "temperature must not be sent with top_p",
    ),
    (
        "request.breaks-own-rule",
        a_page(examples=(*SOUND.examples, an_example("best", request={"best_of": 2, "n": 2}))),
        "examples: best",
        "best_of must exceed n",
    ),
    (
        "code.undefined-name",
        a_page(examples=(an_example(), code(uses=("client", "long_text")), STREAMED)),
        "examples: python",
        "long_text is never defined",
    ),
    (
        "code.no-base-url",
        a_page(examples=(an_example(), code(base_url=None), STREAMED)),
        "examples: python",
        "without a base URL",
    ),
    (
        "code.index-unread",
        a_page(
            examples=(
                *SOUND.examples,
                code("batch", request={"prompt": ["a", "b"]}, reads=("choices[].text",)),
            )
        ),
        "examples: batch",
        "2 choices",
    ),
    (
        "code.index-unread",
        a_page(
            examples=(*SOUND.examples, code("three", request={"n": 3}, reads=("choices[0].text",)))
        ),
        "examples: three",
        "3 choices",
    ),
    (
        "authorization.no-bearer",
        with_example(authorization="sk-xxxx"),
        "examples: curl",
        "Authorization: sk-xxxx",
    ),
    (
        "authorization.no-security",
        a_page(openapi=replace(DESCRIPTION, security=())),
        "openapi: security",
        "it declares no authentication",
    ),
    (
        "sample.not-json",
        a_page(samples=(a_sample('{"id": "x"\n"usage": {}}'),)),
        "samples: answer, line 1",
        "a comma is missing after it",
    ),
    (
        "sample.not-an-answer",
        with_answer(object="chat.completion"),
        "samples: answer",
        "object",
    ),
    (
        "sample.not-an-answer",
        a_page(samples=(a_sample(without("created")), STREAM)),
        "samples: answer",
        "'created' is a required property",
    ),
    (
        "sample.logprobs-arrays",
        scored(top_logprobs=None, text_offset=None),
        "samples: answer, choices[0].logprobs",
        "top_logprobs and text_offset are missing",
    ),
    (
        "sample.choices",
        with_answer(request={"prompt": ["Once", "Twice"]}),
        "samples: answer",
        "requests 2",
    ),
    (
        "stream.no-events",
        a_page(samples=(a_sample(), replace(STREAM, text='{"id": "cmpl-2"}'))),
        "samples: stream",
        "no line begins with `data:`",
    ),
    (
        "stream.events-not-parted",
        with_stream(a_chunk(" as"), a_chunk(" far", "length"), between="\n"),
        "samples: stream",
        "3 lines of data",
    ),
    (
        "stream.no-done",
        with_stream(a_chunk(" as"), a_chunk(" far", "length"), done=False),
        "samples: stream",
        'data: {"id": "cmpl-2"',
    ),
    (
        "stream.no-finish",
        with_stream(a_chunk(" as"), a_chunk(" far")),
        "samples: stream",
        "choice 0 never ends",
    ),
    ("sample.other-model", with_answer(model="another"), "samples: answer", '"some-model"'),
    (
        "sample.shared-id",
        beside(a_sample(an_answer(choice={"text": "more"}), name="second", answers=("other",))),
        "samples: second",
        "id cmpl-1 and created 1700000000",
    ),
    (
        "sample.shared-id",
        beside(
            a_sample(
                an_answer(choice={"text": "more"}, created=7), name="second", answers=("other",)
            )
        ),
        "samples: second",
        "id cmpl-1 that is the response to `curl`",
    ),
    (
        "sample.answer-to-another-prompt",
        with_stream(a_chunk(" upon"), a_chunk(" a", "length")),
        "samples: stream",
        'text " upon a"',
    ),
    (
        "sample.several-prompts",
        a_page(
            examples=(*SOUND.examples, an_example("other", request={"prompt": "Never"})),
            samples=(a_sample(answers=("curl", "other")), STREAM),
        ),
        "samples: answer",
        '`other` sends "Never"',
    ),
    (
        "finish.over-limit",
        with_answer(usage={"completion_tokens": 5, "total_tokens": 6}),
        "samples: answer",
        "allows 4",
    ),
    (
        "finish.over-limit",
        with_answer(
            request={"max_tokens": None}, usage={"completion_tokens": 17, "total_tokens": 18}
        ),
        "samples: answer",
        "allows 16",
    ),
    (
        "finish.length-before-limit",
        with_answer(choice={"finish_reason": "length"}),
        "samples: answer",
        "allows 4",
    ),
    (
        "finish.stop-at-limit",
        with_answer(usage={"completion_tokens": 4, "total_tokens": 5}),
        "samples: answer",
        "it was truncated",
    ),
    (
        "finish.stop-in-text",
        with_answer(request={"stop": " a"}),
        "samples: answer, choices[0].text",
        'stops at " a"',
    ),
    (
        "logprobs.do-not-join",
        scored(tokens=[" upon", " the", " time"]),
        "samples: answer, choices[0].logprobs",
        'concatenated " upon the time"',
    ),
    (
        "logprobs.uneven",
        scored(text_offset=[4, 9]),
        "samples: answer, choices[0].logprobs",
        "text_offset 2",
    ),
    (
        "logprobs.count",
        with_answer(**SCORED, usage={"completion_tokens": 2, "total_tokens": 3}),
        "samples: answer",
        "3 tokens are listed",
    ),
    (
        "logprobs.not-as-asked",
        with_answer(request={"logprobs": 1}),
        "samples: answer, choices[0].logprobs",
        "asks for logprobs: 1",
    ),
    (
        "logprobs.not-as-asked",
        with_answer(choice={"logprobs": ARRAYS}),
        "samples: answer, choices[0].logprobs",
        "asks for none",
    ),
    (
        "usage.total",
        with_answer(usage={"total_tokens": 5}),
        "samples: answer, usage",
        "1 and 3 are 4",
    ),
    (
        "fields.left-out",
        a_page(fields=tuple(f for f in SOUND.fields if not f.path.startswith("usage"))),
        "fields",
        "the samples also show usage",
    ),
    (
        "fields.not-described",
        a_page(fields=(), openapi=None),
        "fields",
        "samples only",
    ),
    ("errors.not-described", a_page(errors=()), "errors", "nothing"),
    (
        "openapi.not-a-description",
        a_page(openapi=replace(DESCRIPTION, text="paths:\n/v1/completions:\npost: {}\n")),
        "openapi: paths",
        "the indentation is missing",
    ),
    (
        "openapi.not-a-description",
        a_page(openapi=replace(DESCRIPTION, text="paths:\n  /v1/completions: |-\npost\n")),
        "openapi",
        "it is not valid YAML",
    ),
    (
        "openapi.not-a-description",
        a_page(openapi=replace(DESCRIPTION, text="paths:\n  \x01: {}\n")),
        "openapi",
        "it is not valid YAML: it cannot be read",
    ),
    (
        "openapi.empty-answer",
        a_page(openapi=replace(DESCRIPTION, response={"type": "object", "properties": {}})),
        "openapi: the response schema",
        "any object is valid",
    ),
    (
        "openapi.server",
        a_page(openapi=replace(DESCRIPTION, servers=("{{base_url}}",))),
        "openapi: servers",
        "{{base_url}}",
    ),
]

# What a mistake of one kind cannot but break beside it.
ALSO = {
    "sample.not-json": {"sample.not-an-answer"},
    "stream.no-events": {"sample.not-an-answer"},
}


def test_sound_page_has_no_findings() -> None:
    assert lint(SOUND) == ()


@for_each_case(
    ("rule", "page", "place", "named"), BROKEN, ids=[f"{row[0]}: {row[3]}" for row in BROKEN]
)
def test_rule_finds_only_its_violation(rule: str, page: Page, place: str, named: str) -> None:
    found = lint(page)
    assert {finding.rule for finding in found} - ALSO.get(rule, set()) == {rule}
    own = [finding for finding in found if finding.rule == rule]
    assert [finding.place for finding in own] == [place]
    assert named in f"{own[0].written} {own[0].wrong}"


def test_every_rule_has_a_violating_page() -> None:
    assert {row[0] for row in BROKEN} == {rule.id for rule in RULES}


def test_rule_ids_and_sentences_are_unique() -> None:
    for key in ("id", "says", "says_zh"):
        values = [getattr(rule, key) for rule in RULES]
        assert len(set(values)) == len(values)


@for_each_case("rule", RULES, ids=lambda rule: rule.id)
def test_rule_is_reported_in_both_languages(rule) -> None:
    for english in (rule.says, rule.fix):
        assert english.endswith(".")
        assert english.isascii() or "…" in english
    for chinese in (rule.says_zh, rule.fix_zh):
        assert chinese.endswith("。")
        assert any("一" <= character <= "鿿" for character in chinese)
