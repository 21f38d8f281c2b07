"""Generate runs for a matrix with as many targets and checks as a test needs."""

from __future__ import annotations

from conformance.model import Effect, Finding, Run
from conformance.report.matrix import Recorded
from tests.report.builders import a_finding, a_run, a_subject

DOCUMENTS = ("zero", "gpt-ge", "aocheng", "zhizengzeng", "eronmind")
PARAMETERS = (
    *("model", "prompt", "suffix", "max_tokens", "temperature", "top_p", "n", "stream"),
    *("stop", "presence_penalty", "frequency_penalty", "best_of", "logit_bias", "logprobs"),
    *("echo", "seed", "user", "stream_options"),
)
FIELDS = (
    *("id", "object", "created", "response.model", "choices", "choices[].text"),
    *("choices[].index", "choices[].logprobs", "choices[].finish_reason", "usage"),
    *("usage.prompt_tokens", "usage.completion_tokens", "error.message", "error.type"),
)
SUBJECTS = tuple(
    a_subject(name, kind=kind)
    for kind, names in (("parameter", PARAMETERS), ("field", FIELDS))
    for name in names
)
MARKED = ("fail", "warn", "refused", "inconclusive", "skipped")


def many_runs(targets: int, checks: int) -> tuple[Recorded, ...]:
    """Make different runs: most vendors fail some checks, some conform."""
    return tuple(_one(place, checks) for place in range(targets))


def _one(place: int, checks: int) -> Recorded:
    name = f"vendor-{place}"
    return Recorded(name, _run(place, checks), f"{name}/index.html")


def _run(place: int, checks: int) -> Run:
    document = DOCUMENTS[place % len(DOCUMENTS)]
    findings = (_finding(place, number) for number in range(checks))
    return a_run(
        *findings,
        subjects=SUBJECTS,
        base_url=f"https://vendor-{place}.example/v1",
        model=f"model-{place % 7}",
        contract=document,
        document=document,
    )


def _finding(place: int, number: int) -> Finding:
    subject = SUBJECTS[number % len(SUBJECTS)].name
    key = f"{subject.replace('_', '-')}.promise-number-{number}"
    title = f"The promise number {number} about `{subject}` is kept, whatever is asked beside it."
    words = {
        "subject": subject,
        "title": title,
        "title_zh": f"第 {number} 条关于 `{subject}` 的承诺得到遵守。",
    }
    broken = place % 5 and (place * 31 + number * 17) % 7 == 0
    if not broken:
        return a_finding(key, sees_effect=place % 2 == 0, **words)
    verdict = MARKED[(place + number) % len(MARKED)]
    effect = Effect.IGNORED if (place + number) % 2 else Effect.ALTERED
    return a_finding(key, verdict, effect=effect, **words)
