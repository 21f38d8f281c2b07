"""The exact findings of the lint on the five pages."""

from __future__ import annotations

import pytest

from conformance.docs_audit.lint import lint
from conformance.docs_audit.page_reader import PAGES, load_page

# The rule and the place of every finding, in the order of the rules.
EXPECTED: dict[str, list[tuple[str, str]]] = {
    "zero": [
        ("parameter.required-not-said", "parameters"),
        ("type.said-otherwise", "parameters: prompt"),
        ("default.missing", "parameters"),
        ("code.index-unread", "examples: openai-python, a batch of prompts"),
        ("fields.left-out", "fields"),
        ("errors.not-described", "errors"),
    ],
    "gpt-ge": [
        ("parameter.two-in-one", "parameters: prompt / messages"),
        ("default.missing", "parameters"),
        ("sample.logprobs-arrays", "samples: answer, choices[0].logprobs"),
        ("logprobs.do-not-join", "samples: answer, choices[0].logprobs"),
        ("logprobs.count", "samples: answer"),
        ("fields.not-described", "fields"),
        ("errors.not-described", "errors"),
    ],
    "aocheng": [
        ("parameter.required-not-said", "parameters"),
        ("default.null-not-allowed", "parameters"),
        ("code.undefined-name", "examples: openai-python, a summary"),
        ("stream.events-not-parted", "samples: stream"),
        ("stream.no-finish", "samples: stream"),
        ("sample.shared-id", "samples: stream"),
        ("sample.answer-to-another-prompt", "samples: stream"),
        ("fields.left-out", "fields"),
    ],
    "zhizengzeng": [
        ("parameter.no-heading", "parameters: stop"),
        ("type.said-otherwise", "parameters: logprobs"),
        ("default.no-value", "parameters: max_tokens"),
        ("default.null-not-allowed", "parameters"),
        ("default.breaks-own-rule", "parameters: best_of"),
        ("code.no-base-url", "examples: openai-python"),
        ("code.no-base-url", "examples: openai-node"),
        ("code.no-base-url", "examples: openai-python, streamed"),
        ("code.no-base-url", "examples: openai-node, streamed"),
        ("sample.not-json", "samples: stream, line 13"),
        ("sample.not-json", "samples: stream, line 14"),
        ("stream.no-events", "samples: stream"),
        ("sample.several-prompts", "samples: answer, no streaming"),
        ("sample.several-prompts", "samples: stream"),
        ("fields.not-described", "fields"),
        ("errors.not-described", "errors"),
    ],
    "eronmind": [
        ("type.said-otherwise", "parameters: prompt"),
        ("type.not-what-is-taken", "parameters: max_tokens"),
        ("type.not-what-is-taken", "parameters: temperature"),
        ("type.not-what-is-taken", "parameters: top_p"),
        ("type.not-what-is-taken", "parameters: n"),
        ("type.not-what-is-taken", "parameters: stream"),
        ("type.not-what-is-taken", "parameters: logprobs"),
        ("type.items-of-no-array", "parameters: stop"),
        ("request.type", "examples: the schema's example"),
        ("authorization.no-bearer", "examples: the schema's example"),
        ("authorization.no-security", "openapi: security"),
        ("sample.other-model", "samples: answer"),
        ("finish.stop-in-text", "samples: answer, choices[0].text"),
        ("errors.not-described", "errors"),
        ("openapi.not-a-description", "openapi"),
        ("openapi.empty-answer", "openapi: the response schema"),
        ("openapi.server", "openapi: servers"),
    ],
}


@pytest.mark.parametrize("document", PAGES)
def test_each_page_has_exactly_these_findings(document: str) -> None:
    found = lint(load_page(document))
    assert sorted((f.rule, f.place) for f in found) == sorted(EXPECTED[document])
    assert {finding.document for finding in found} == {document}


# What a finding has to name, so that its author finds the place and can fix it.
NAMED = [
    ("zero", "code.index-unread", ["choices[].text", "2 choices", "index"]),
    ("zero", "parameter.required-not-said", ["model and prompt"]),
    ("zero", "type.said-otherwise", ["string / array", "the introduction", "batch of prompts"]),
    (
        "zero",
        "fields.left-out",
        ["id, created, model", "choices[].index", "choices[].logprobs", "usage"],
    ),
    ("gpt-ge", "sample.logprobs-arrays", ["top_logprobs and text_offset"]),
    ("gpt-ge", "logprobs.do-not-join", ["15 tokens", ",Yes,", ",适合出门旅行"]),
    ("gpt-ge", "logprobs.count", ["25", "15 tokens"]),
    ("gpt-ge", "default.missing", ["temperature, top_p, max_tokens, n, stream"]),
    ("aocheng", "code.undefined-name", ["long_text"]),
    ("aocheng", "stream.events-not-parted", ["4 lines of data"]),
    ("aocheng", "stream.no-finish", ["finish_reason: null"]),
    ("aocheng", "sample.shared-id", ["cmpl-8VYRlGZS4uPpnS3FyW32vM", "1704067200", "`curl`"]),
    ("aocheng", "sample.answer-to-another-prompt", ["春风", "`curl`", "`curl, streamed`"]),
    ("zhizengzeng", "parameter.no-heading", ["stop", "seed"]),
    ("zhizengzeng", "code.no-base-url", ["https://api.zhizengzeng.com"]),
    ("zhizengzeng", "sample.not-json", ['"model": "gpt-3.5-turbo-instruct"', "comma is missing"]),
    ("zhizengzeng", "sample.not-json", ["system_fingerprint", "a comma before"]),
    ("zhizengzeng", "stream.no-events", ["data:"]),
    ("zhizengzeng", "default.breaks-own-rule", ["best_of must exceed n"]),
    ("eronmind", "request.type", ["max_tokens: 7", "stream: false", "logprobs: null", "string"]),
    ("eronmind", "sample.other-model", ["text-davinci-003", "gpt-3.5-turbo-instruct"]),
    ("eronmind", "authorization.no-bearer", ["Authorization: sk-"]),
    ("eronmind", "authorization.no-security", ["security: []"]),
    ("eronmind", "openapi.not-a-description", ["the indentation is missing"]),
    ("eronmind", "openapi.empty-answer", ['"properties": {}']),
]


@pytest.mark.parametrize(
    ("document", "rule", "words"), NAMED, ids=[f"{n[0]}: {n[1]}" for n in NAMED]
)
def test_finding_names_what_has_to_be_fixed(document: str, rule: str, words: list[str]) -> None:
    found = [f"{f.written}\n{f.wrong}" for f in lint(load_page(document)) if f.rule == rule]
    assert any(all(word in text for word in words) for text in found), found
