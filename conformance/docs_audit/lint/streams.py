"""Rules about samples of streams: events, blank lines, and the end of the stream."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract import Contract
from conformance.docs_audit.lint.messages import cut, listed, sample_place, verb
from conformance.docs_audit.lint.rule import Found, rule
from conformance.docs_audit.page import Page, Sample
from conformance.docs_audit.printed_samples import Reading, choices_of, read
from conformance.docs_audit.results import Severity


def _streams(page: Page) -> Iterator[tuple[Sample, Reading]]:
    """Yield the samples that are printed as events."""
    for sample in page.samples:
        reading = read(sample)
        if sample.kind == "stream" and reading.framed:
            yield sample, reading


@rule(
    "stream.no-events",
    Severity.DEFECT,
    says="A sample of a stream shows server-sent events.",
    says_zh="流式示例以服务器推送事件的形式给出。",
    fix="Show the stream as sent: `data: {…}`, a blank line, and so on until `data: [DONE]`.",
    fix_zh="按实际返回打印：`data: {…}`、空行，直到 `data: [DONE]`。",
)
def no_events(page: Page, _live: Contract) -> Iterator[Found]:
    """Find samples of streams without any data line."""
    for sample in page.samples:
        if sample.kind == "stream" and sample.text is not None and not read(sample).framed:
            yield Found(
                sample_place(sample),
                cut(" ".join(sample.text.split())),
                "it is one JSON document; no line begins with `data:`",
            )


@rule(
    "stream.events-not-parted",
    Severity.DEFECT,
    says="A blank line ends every event of a stream.",
    says_zh="流中的每个事件都以空行结束。",
    fix="Put a blank line after every `data:` line.",
    fix_zh="在每个 `data:` 行之后加一个空行。",
)
def events_not_parted(page: Page, _live: Contract) -> Iterator[Found]:
    """Find streams without blank lines between events."""
    for sample, reading in _streams(page):
        if reading.unparted:
            yield Found(
                sample_place(sample),
                f"{reading.unparted + 1} lines of data in a row",
                "without blank lines between them they are one event, which is not valid JSON",
            )


@rule(
    "stream.no-done",
    Severity.DEFECT,
    says="A stream ends with `data: [DONE]`.",
    says_zh="流以 `data: [DONE]` 结束。",
    fix="End the sample with `data: [DONE]`.",
    fix_zh="在示例末尾加上 `data: [DONE]`。",
)
def no_done(page: Page, _live: Contract) -> Iterator[Found]:
    """Find streams that do not end with ``[DONE]``."""
    for sample, reading in _streams(page):
        if not reading.done:
            last = (sample.text or "").strip().split("\n")[-1]
            yield Found(sample_place(sample), cut(last), "the last event is not `[DONE]`")


@rule(
    "stream.no-finish",
    Severity.DEFECT,
    says="The last chunk of every choice has a finish_reason.",
    says_zh="每个结果的最后一个数据块给出 finish_reason。",
    fix="Show the last chunk with its finish_reason; mark omitted chunks with ….",
    fix_zh="给出带 finish_reason 的最后一个数据块；中间省略处以 … 标明。",
)
def no_finish(page: Page, _live: Contract) -> Iterator[Found]:
    """Find streams without a finish_reason for each choice."""
    for sample, reading in _streams(page):
        without = [str(choice.index) for choice in choices_of(reading) if not choice.finishes]
        if without and reading.done:
            never = verb(len(without), "choice", "choices")
            yield Found(
                sample_place(sample),
                "finish_reason: null in every chunk",
                f"{never} {listed(without)} never ends; a client that waits for the reason "
                "treats the response as truncated",
            )
