"""Rules about finish_reason and max_tokens in samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.contract import Contract
from conformance.docs_audit.lint.messages import sample_place, written
from conformance.docs_audit.lint.rule import Found, rule
from conformance.docs_audit.page import Example, Page, Sample, requested_choices, requested_stops
from conformance.docs_audit.printed_samples import PrintedChoice, choices_of, read
from conformance.docs_audit.results import Severity


@dataclass(frozen=True, slots=True)
class _Counted:
    """A sample and one of its examples, both with a number of tokens."""

    sample: Sample
    example: Example
    choices: tuple[PrintedChoice, ...]
    limit: int  # tokens of one choice
    spent: int  # tokens of all choices


def _counted(page: Page) -> Iterator[_Counted]:
    for sample in page.samples:
        reading = read(sample)
        spent = next(
            (
                usage["completion_tokens"]
                for thing in reading.objects
                if isinstance(usage := thing.get("usage"), dict)
                and type(usage.get("completion_tokens")) is int
            ),
            None,
        )
        for name in sample.answers:
            example = page.example(name)
            limit = _limit(page, example)
            if spent is not None and limit is not None:
                yield _Counted(sample, example, choices_of(reading), limit, spent)


def _limit(page: Page, example: Example) -> int | None:
    """Return the token limit of an example, or the page's default."""
    parameter = page.parameter("max_tokens")
    otherwise = parameter.default if parameter else None
    limit = example.request.get("max_tokens", otherwise)
    return limit if type(limit) is int else None


@rule(
    "finish.over-limit",
    Severity.DEFECT,
    says="A response has at most max_tokens tokens.",
    says_zh="响应的 token 数不超过请求的上限。",
    fix="Show a response within max_tokens.",
    fix_zh="给出不超过 max_tokens 的响应。",
)
def over_limit(page: Page, _live: Contract) -> Iterator[Found]:
    """Find samples with more tokens than their request allows."""
    for it in _counted(page):
        most = it.limit * requested_choices(it.example.request)
        if it.spent > most:
            yield Found(
                sample_place(it.sample),
                f"completion_tokens: {it.spent}",
                f"the example `{it.example.name}` allows {most}",
            )


@rule(
    "finish.length-before-limit",
    Severity.DEFECT,
    says="A response with finish_reason length has exactly max_tokens tokens.",
    says_zh="因 length 结束的响应恰好达到 token 上限。",
    fix="Correct finish_reason or completion_tokens.",
    fix_zh="更正 finish_reason 或 completion_tokens。",
)
def length_before_limit(page: Page, _live: Contract) -> Iterator[Found]:
    """Find samples that end with ``length`` before the limit."""
    for it in _counted(page):
        ends = [reason for choice in it.choices for reason in choice.finishes]
        most = it.limit * len(it.choices)
        if ends and set(ends) == {"length"} and it.spent < most:
            yield Found(
                sample_place(it.sample),
                f'finish_reason: "length", completion_tokens: {it.spent}',
                f"the example `{it.example.name}` allows {most}, so nothing was cut off",
            )


@rule(
    "finish.stop-at-limit",
    Severity.DEFECT,
    says="A response with max_tokens tokens has finish_reason length.",
    says_zh="用尽 max_tokens 的响应以 length 结束。",
    fix="Write length, or show a response that ends before the limit.",
    fix_zh="改为 length，或给出未达上限的响应。",
)
def stop_at_limit(page: Page, _live: Contract) -> Iterator[Found]:
    """Find samples that end with ``stop`` exactly at the limit, without a stop sequence."""
    for it in _counted(page):
        ends = [reason for choice in it.choices for reason in choice.finishes]
        if ends == ["stop"] and it.spent == it.limit and not requested_stops(it.example.request):
            yield Found(
                sample_place(it.sample),
                f'finish_reason: "stop", completion_tokens: {it.spent}',
                f"the example `{it.example.name}` allows exactly that many: it was truncated",
            )


@rule(
    "finish.stop-in-text",
    Severity.DEFECT,
    says="The text ends before the stop sequence.",
    says_zh="返回的文本不包含停止序列。",
    fix="Truncate the sample's text before the stop sequence.",
    fix_zh="在停止序列之前截断示例文本。",
)
def stop_in_text(page: Page, _live: Contract) -> Iterator[Found]:
    """Find samples that contain their stop sequence, other than in an echoed prompt."""
    for sample in page.samples:
        for name in sample.answers:
            request = page.example(name).request
            if request.get("echo"):
                continue
            for choice in choices_of(read(sample)):
                for stop in requested_stops(request):
                    if stop in choice.text:
                        yield Found(
                            f"{sample_place(sample)}, choices[{choice.index}].text",
                            written(choice.text),
                            f"the example `{name}` stops at {written(stop)}",
                        )
