"""One cause, one finding: which check reports a feature that is missing or rejected altogether.

An endpoint that ignores ``logprobs`` would otherwise fail every check of their details. A feature
that is missing only in some responses is reported by the check that requested these.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence

from conformance.api import Api
from conformance.checks.catalogue import REGISTERED
from conformance.judgement import Failure, Feature, Judgement, Missing, Refusal

JUDGED_BY: Mapping[Feature, tuple[str, ...]] = {
    Feature.BATCH: ("envelope.choices", "prompt.batch-complete"),
    Feature.CHOICES: ("envelope.choices",),
    Feature.N_CHOICES: ("envelope.choices", "n.choices", "n.choices-streamed"),
    Feature.ECHO: ("echo.prompt-first",),
    Feature.LOGPROBS: ("logprobs.returned", "logprobs.returned-in-stream"),
    Feature.ARRAYS: ("logprobs.returned", "logprobs-arrays.parallel"),
    Feature.SCORES_OF_PROMPT: ("echo.prompt-first", "echo-logprobs.covers-prompt"),
    Feature.JSON: ("envelope.strict-json", "envelope.strict-json-logprobs"),
    Feature.ENVELOPE: (
        "errors.envelope",
        "errors.envelope-of-unknown-model",
        "errors.envelope-of-malformed",
    ),
    Feature.KEY_ENVELOPE: ("errors.envelope",),
    Feature.STREAM: ("stream.true-streams",),
    Feature.CHUNKS: ("streaming.event-json", "streaming.chunk-shape"),
    Feature.TEXT: ("text.present", "text.present-in-stream"),
    Feature.USAGE: ("usage.present",),
    Feature.STREAM_USAGE: ("stream-options.usage-chunk",),
}
"""For each feature the checks of the simplest responses that lack it, the simplest first."""

JUDGED_AT_THE_END: Mapping[Feature, str] = {Feature.JSON: "envelope.strict-json-everywhere"}
"""Invariants that report a missing feature in any response, so that other checks need not."""

REFUSAL_JUDGED_BY: Mapping[str, str] = {
    "stream": "stream.true-streams",
    "stream_options": "stream-options.usage-chunk",
    "logprobs": "logprobs.returned",
    "echo": "echo.prompt-first",
    "stop": "stop.string",
    "n": "n.choices",
}
"""The check with the simplest request that has a parameter; it reports a rejection of it."""


AUTH = "auth"
"""The area whose checks send requests without the key of the run."""


async def missing_in_simpler_request(missing: Missing, check_id: str, api: Api) -> str | None:
    """Return the check that finds the same feature missing in a simpler response, if one does.

    It uses requests that the run sends anyway, so it costs nothing in a whole run. If a feature is
    missing here alone, this check reports it, unless an invariant reports that feature anywhere.
    """
    evidence = list(api.exchanges)
    try:
        return await _missing_in(JUDGED_BY[missing.feature], missing, check_id, api)
    finally:
        api.exchanges[:] = evidence  # the finding is about its own responses alone


async def _missing_in(
    checks: Sequence[str], missing: Missing, check_id: str, api: Api
) -> str | None:
    for simpler in checks:
        if simpler == check_id:
            return None
        judge = REGISTERED[simpler]
        if api.contract.why_not_in_force(judge.requirement) is not None:
            continue
        try:
            with api.without_evidence():
                await inspect.unwrap(judge.run)(api)
        except Missing as found:
            # Without any stream, nothing is known about what a stream lacks.
            if found.feature is missing.feature or found.feature is not Feature.STREAM:
                return simpler
        except Judgement:
            continue
    return JUDGED_AT_THE_END.get(missing.feature)


async def refused_in_simpler_request(refusal: Refusal, check_id: str, api: Api) -> str | None:
    """Return the check that finds a promised parameter rejected in a simpler request, if any.

    The rejection of an optional parameter is not a failure, and shows what else is not served.
    """
    for feature in sorted(refusal.features & REFUSAL_JUDGED_BY.keys()):
        judge = REGISTERED[REFUSAL_JUDGED_BY[feature]]
        if judge.id == check_id or not api.contract.promises(feature):
            continue
        if api.contract.why_not_in_force(judge.requirement) is not None:
            continue
        try:
            with api.without_evidence():
                await inspect.unwrap(judge.run)(api)
        except Refusal as found:
            if feature in found.features:
                return judge.id
        except Judgement:
            continue
    return None


def root_cause_of(found: Failure | Refusal, requirement: str, api: Api) -> str | None:
    """Return the check that may have reported the cause of a generated check's failure, if any.

    Any failure may be the cause, unless the smallest failing request is known and lacks the
    parameter that the failure is about, or the failure is about a missing or wrong key: no other
    check sends one.
    """
    area = api.contract.requirement(requirement).area
    parameters = {parameter.name for parameter in api.contract.parameters}
    for finding in api.trace.reported_failures:
        elsewhere = found.features is not None and finding.subject not in found.features
        its_own = finding.subject in parameters
        theirs = api.contract.requirement(finding.requirement).area
        if theirs == AUTH != area:
            continue
        alike = theirs == area
        if not (elsewhere and its_own) or alike:
            return finding.id
    return None
