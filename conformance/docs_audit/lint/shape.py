"""Rules about the shape of samples: valid JSON, and the schema of a response."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract import Contract, SchemaViolation
from conformance.docs_audit.lint.messages import cut, listed, sample_place, written
from conformance.docs_audit.lint.rule import Found, rule
from conformance.docs_audit.page import Page, Sample, requested_choices
from conformance.docs_audit.printed_samples import choices_of, read
from conformance.docs_audit.results import Severity


@rule(
    "sample.not-json",
    Severity.DEFECT,
    says="A sample response is valid JSON.",
    says_zh="示例响应是合法的 JSON。",
    fix="Correct the line, or show an actual response.",
    fix_zh="更正该行，或直接使用真实的响应。",
)
def not_json(page: Page, _live: Contract) -> Iterator[Found]:
    """Find syntax errors in samples."""
    for sample in page.samples:
        for mistake in read(sample).mistakes:
            yield Found(
                f"{sample_place(sample)}, line {mistake.line}",
                cut(mistake.text),
                f"it is not valid JSON: {mistake.wrong}",
            )


@rule(
    "sample.not-an-answer",
    Severity.DEFECT,
    says="A sample has the fields and types of a response.",
    says_zh="示例响应具有规定的字段和类型。",
    fix="Add the field, or correct its value.",
    fix_zh="补上该字段或更正其值。",
)
def not_an_answer(page: Page, live: Contract) -> Iterator[Found]:
    """Find violations of the schema of a response or chunk, except in logprobs."""
    for sample in page.samples:
        for number, violation in _violations(sample, live):
            if not _lacks_an_array(violation):
                place = sample_place(sample)
                yield Found(
                    f"{place}, chunk {number}" if sample.kind == "stream" else place,
                    violation.path or "the whole response",
                    violation.message,
                )


@rule(
    "sample.logprobs-arrays",
    Severity.DEFECT,
    says="logprobs has four parallel arrays.",
    says_zh="对数概率由四个并行数组组成。",
    fix="Show all four arrays with one entry per token.",
    fix_zh="给出全部四个数组，每个 token 各占一项。",
)
def logprobs_arrays(page: Page, live: Contract) -> Iterator[Found]:
    """Find samples whose logprobs lack arrays."""
    arrays = [
        field.path.rpartition(".")[2]
        for field in live.fields
        if field.path.startswith("choices[].logprobs.") and field.required
    ]
    for sample in page.samples:
        for choice in choices_of(read(sample)):
            lacking = [name for name in arrays if name not in (choice.logprobs or ())]
            if choice.logprobs is not None and lacking:
                yield Found(
                    f"{sample_place(sample)}, choices[{choice.index}].logprobs",
                    f"only {listed(choice.logprobs)}",
                    f"{listed(lacking)} are missing; clients read all four in parallel"
                    if len(lacking) > 1
                    else f"{lacking[0]} is missing; clients read all four in parallel",
                )


def _violations(sample: Sample, live: Contract) -> Iterator[tuple[int, SchemaViolation]]:
    validate = live.validate_chunk if sample.kind == "stream" else live.validate_completion
    for number, thing in enumerate(read(sample).objects, start=1):
        for violation in validate(thing):
            yield number, violation


def _lacks_an_array(violation: SchemaViolation) -> bool:
    return violation.rule == "required" and violation.path.endswith(".logprobs")


@rule(
    "sample.choices",
    Severity.DEFECT,
    says="A sample has as many choices as the request specifies.",
    says_zh="示例响应的结果数量与请求一致。",
    fix="Show every choice, numbered from 0.",
    fix_zh="给出全部结果，并从 0 开始编号。",
)
def choices(page: Page, _live: Contract) -> Iterator[Found]:
    """Find samples whose number of choices is not the number of prompts times n."""
    for sample in page.samples:
        seen = [choice.index for choice in choices_of(read(sample))]
        for name in sample.answers:
            wanted = requested_choices(page.example(name).request)
            if seen and (len(seen) != wanted or seen != list(range(len(seen)))):
                yield Found(
                    sample_place(sample),
                    f"choices with index {written(seen)[1:-1]}",
                    f"the example `{name}` requests {wanted}",
                )
