"""One cause, one finding: which check accuses an endpoint of leaving something out altogether.

An endpoint that ignores ``logprobs`` would otherwise be accused by every check of a detail of them,
and its vendor would stop reading. What is missing only here or there is found where it is missing.
"""

from __future__ import annotations

from collections.abc import Mapping

from conformance.judgement import Thing

JUDGED_BY: Mapping[Thing, tuple[str, ...]] = {
    Thing.BATCH: ("envelope.choices", "prompt.batch-complete"),
    Thing.CHOICES: ("envelope.choices",),
    Thing.COPIES: ("envelope.choices", "n.choices", "n.choices-streamed"),
    Thing.ECHO: ("echo.prompt-first",),
    Thing.LOGPROBS: ("logprobs.returned", "logprobs.returned-in-stream"),
    Thing.ARRAYS: ("logprobs.returned", "logprobs-arrays.parallel"),
    Thing.SCORES_OF_PROMPT: ("echo.prompt-first", "echo-logprobs.covers-prompt"),
    Thing.JSON: ("envelope.strict-json", "envelope.strict-json-logprobs"),
    Thing.STREAM: ("stream.true-streams",),
    Thing.CHUNKS: ("streaming.event-json", "streaming.chunk-shape"),
    Thing.TEXT: ("text.present", "text.present-in-stream"),
    Thing.USAGE: ("usage.present",),
    Thing.STREAM_USAGE: ("stream-options.usage-chunk",),
}
"""The checks that look at the plainest answers, by what those lack: the simplest one first."""

JUDGED_AT_THE_END: Mapping[Thing, str] = {Thing.JSON: "envelope.strict-json-everywhere"}
"""Invariants that find a thing missing wherever that is: no check need accuse of it by itself."""

REFUSAL_JUDGED_BY: Mapping[str, str] = {
    "stream": "stream.true-streams",
    "stream_options": "stream-options.usage-chunk",
    "logprobs": "logprobs.returned",
    "echo": "echo.prompt-first",
    "stop": "stop.string",
    "n": "n.choices",
}
"""The check that asks the plainest question with a parameter, and accuses who declines it."""
