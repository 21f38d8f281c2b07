"""Rules about logprobs in samples: text, counts and presence."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract import Contract
from conformance.docs_audit.lint.messages import sample_place, verb, written
from conformance.docs_audit.lint.rule import Found, rule
from conformance.docs_audit.page import Page, Sample
from conformance.docs_audit.printed_samples import PrintedChoice, choices_of, read
from conformance.docs_audit.results import Severity

_BYTES = "bytes:"
"""Prefix of a token that is not valid UTF-8."""

_END_TOKENS = 1
"""Tokens that servers count but do not list: the end-of-text token."""


def _with_tokens(page: Page) -> Iterator[tuple[Sample, PrintedChoice, tuple[str, ...]]]:
    for sample in page.samples:
        for choice in choices_of(read(sample)):
            tokens = choice.tokens()
            if tokens is not None:
                yield sample, choice, tokens


def _place(sample: Sample, choice: PrintedChoice) -> str:
    return f"{sample_place(sample)}, choices[{choice.index}].logprobs"


@rule(
    "logprobs.do-not-join",
    Severity.DEFECT,
    says="The concatenated tokens equal the text.",
    says_zh="tokens 拼接后即为 text。",
    fix="Show the tokens of this text.",
    fix_zh="给出该文本对应的 tokens。",
)
def do_not_join(page: Page, _live: Contract) -> Iterator[Found]:
    """Find tokens that do not join to the text; tokens of a stop sequence may follow."""
    for sample, choice, tokens in _with_tokens(page):
        joined = "".join(tokens)
        if not joined.startswith(choice.text) and not any(t.startswith(_BYTES) for t in tokens):
            yield Found(
                _place(sample, choice),
                f"{len(tokens)} tokens, concatenated {written(joined)}",
                f"the text is {written(choice.text)}",
            )


@rule(
    "logprobs.uneven",
    Severity.DEFECT,
    says="The logprobs arrays have the same length.",
    says_zh="各对数概率数组长度相同。",
    fix="Give every array one entry per token.",
    fix_zh="使每个数组与 token 一一对应。",
)
def uneven(page: Page, _live: Contract) -> Iterator[Found]:
    """Find arrays whose length differs from that of the tokens; an empty one is ignored."""
    for sample, choice, tokens in _with_tokens(page):
        lengths = {name: len(values) for name, values in (choice.logprobs or {}).items() if values}
        if set(lengths.values()) - {len(tokens)}:
            counts = ", ".join(f"{name} {length}" for name, length in lengths.items())
            yield Found(_place(sample, choice), counts, f"there are {len(tokens)} tokens")


@rule(
    "logprobs.count",
    Severity.DEFECT,
    says="The number of listed tokens equals the token count.",
    says_zh="列出的 token 数与计数一致。",
    fix="List every token, or correct completion_tokens.",
    fix_zh="列出全部 token，或更正 completion_tokens。",
)
def count(page: Page, _live: Contract) -> Iterator[Found]:
    """Find samples whose usage differs from the number of listed tokens."""
    for sample in page.samples:
        reading = read(sample)
        listed = [choice.tokens() for choice in choices_of(reading)]
        if not listed or any(tokens is None for tokens in listed):
            continue
        shown = sum(len(tokens or ()) for tokens in listed)
        for thing in reading.objects:
            usage = thing.get("usage")
            counted = usage.get("completion_tokens") if isinstance(usage, dict) else None
            if isinstance(counted, int) and not (
                shown <= counted <= shown + _END_TOKENS * len(listed)
            ):
                yield Found(
                    sample_place(sample),
                    f"completion_tokens: {counted}",
                    f"{shown} {verb(shown, 'token is', 'tokens are')} listed",
                )


@rule(
    "logprobs.not-as-asked",
    Severity.DEFECT,
    says="A sample shows logprobs if and only if its example requests them.",
    says_zh="仅当请求要求时，示例响应才包含对数概率。",
    fix="Show the actual response to this request.",
    fix_zh="给出该请求实际得到的响应。",
)
def not_as_requested(page: Page, _live: Contract) -> Iterator[Found]:
    """Find samples without requested log probabilities, or with unrequested ones."""
    for sample in page.samples:
        found = choices_of(read(sample))
        for name in sample.answers:
            request = page.example(name).request.get("logprobs")
            wanted = request is not None and request is not False
            words = f"asks for logprobs: {written(request)}" if wanted else "asks for none"
            for choice in found:
                if wanted != (choice.logprobs is not None):
                    yield Found(
                        _place(sample, choice),
                        "null" if wanted else "log probabilities",
                        f"the example `{name}` {words}",
                    )
