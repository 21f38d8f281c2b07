"""Rules about the identity of samples: model, id and prompt must match the example."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from conformance.contract import Contract
from conformance.docs_audit.lint.messages import listed, sample_place, written
from conformance.docs_audit.lint.rule import Found, rule
from conformance.docs_audit.page import Page, Sample
from conformance.docs_audit.printed_samples import choices_of, read
from conformance.docs_audit.results import Severity


@rule(
    "sample.other-model",
    Severity.DEFECT,
    says="The model in the response is the requested model.",
    says_zh="响应中的模型与请求的模型一致。",
    fix="Show a response of the model that the example requests.",
    fix_zh="使用示例所请求模型的响应。",
)
def other_model(page: Page, _live: Contract) -> Iterator[Found]:
    """Find samples of another model; a name with a date is the same model."""
    for sample in page.samples:
        named = _values(sample, "model")
        for name in sample.answers:
            request = page.example(name).request.get("model")
            other_names = [n for n in named if request and not str(n).startswith(str(request))]
            if other_names:
                yield Found(
                    sample_place(sample),
                    f"model: {listed(map(written, other_names))}",
                    f"the example `{name}` requests {written(request)}",
                )


@rule(
    "sample.shared-id",
    Severity.DEFECT,
    says="Responses to different requests have different ids.",
    says_zh="不同请求的响应具有不同的 id。",
    fix="Show a separate response for each request.",
    fix_zh="为每个请求给出各自的响应。",
)
def shared_id(page: Page, _live: Contract) -> Iterator[Found]:
    """Find samples of different requests with the same id."""
    for first, second in combinations(page.samples, 2):
        if _requests_of(page, first) & _requests_of(page, second):
            continue
        for shared in _values(first, "id") & _values(second, "id"):
            also = _values(first, "created") & _values(second, "created")
            same = f" and created {listed(map(written, also))}" if also else ""
            yield Found(
                sample_place(second),
                f"id {shared}{same}",
                f"that is the response to {_named(first)}; an id identifies one response",
            )


@rule(
    "sample.answer-to-another-prompt",
    Severity.DEFECT,
    says="A sample continues the prompt of its example.",
    says_zh="示例响应续写的是其对应请求的 prompt。",
    fix="Show the actual response to this prompt.",
    fix_zh="给出该 prompt 的真实响应。",
)
def answer_to_another_prompt(page: Page, _live: Contract) -> Iterator[Found]:
    """Find streams whose text is the beginning of the response to another prompt."""
    for second in page.samples:
        if second.kind != "stream":
            continue
        for first in page.samples:
            if _prompts_of(page, first) & _prompts_of(page, second):
                continue
            for text in _texts(second) if first is not second else ():
                if any(other.startswith(text) for other in _texts(first)):
                    yield Found(
                        sample_place(second),
                        f"text {written(text)}",
                        f"this is the beginning of the sample `{first.name}`, the response to "
                        f"{_named(first)}; this one is the response to {_named(second)}",
                    )


@rule(
    "sample.several-prompts",
    Severity.DEFECT,
    says="Examples that share a sample send the same prompt.",
    says_zh="共用同一示例响应的请求使用相同的 prompt。",
    fix="Send the same prompt in all of them, or show a response for each.",
    fix_zh="统一各示例的 prompt，或分别给出响应。",
)
def several_prompts(page: Page, _live: Contract) -> Iterator[Found]:
    """Find samples for several examples with different prompts."""
    for sample in page.samples:
        prompts = {
            name: written(page.example(name).request.get("prompt")) for name in sample.answers
        }
        if len(set(prompts.values())) > 1:
            sent = "; ".join(f"`{name}` sends {prompt}" for name, prompt in prompts.items())
            yield Found(sample_place(sample), sent, "one response cannot belong to both")


def _requests_of(page: Page, sample: Sample) -> set[str]:
    return {_request_of(page, name) for name in sample.answers}


def _request_of(page: Page, name: str) -> str:
    """Return an example's request as JSON with sorted keys."""
    request = page.example(name).request
    return repr(sorted((key, repr(value)) for key, value in request.items()))


def _prompts_of(page: Page, sample: Sample) -> set[str]:
    return {repr(page.example(name).request.get("prompt")) for name in sample.answers}


def _values(sample: Sample, key: str) -> set[str | int]:
    found = (thing.get(key) for thing in read(sample).objects)
    return {value for value in found if isinstance(value, str | int) and value != ""}


_FEW = 2
"""Maximum characters that may be equal by chance, without blanks."""


def _texts(sample: Sample) -> list[str]:
    texts = (choice.text for choice in choices_of(read(sample)))
    return [text for text in texts if len("".join(text.split())) >= _FEW]


def _named(sample: Sample) -> str:
    return listed(f"`{name}`" for name in sample.answers)
