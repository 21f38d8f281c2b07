"""Which checks find which fault of answers: those whose sentence it breaks."""

from __future__ import annotations

FOUND_BY = {
    "suffix-appended": "suffix.not-appended",
    "stream-ignored": "stream.true-streams",
    "plain-answer-streamed": "stream.absent-is-plain stream.false-is-plain",
    "stream-as-json": "streaming.content-type",
    "batches-not-streamed": "stream.true-streams-batch",
    "ndjson": "stream.true-streams",
    "bare-line": "streaming.framing",
    "no-blank-line-at-end": "streaming.framing",
    "events-merged": "streaming.event-json",
    "broken-json": "streaming.event-json",
    "missing-done": "streaming.done-last streaming.done-last-batch",
    "done-twice": "streaming.done-last streaming.done-last-batch",
    "done-first": "streaming.done-last",
    "chat-usage-chunk": "streaming.chunk-shape",
    "delta": "streaming.chunk-shape text.present-in-stream",
    "first-token-twice": ("streaming.text-ascii streaming.text-chinese streaming.text-emoji"),
    "pieces-stripped": "streaming.text-ascii streaming.text-words",
    "end-of-second-choice-lost": "streaming.text-batch",
    "characters-split": "streaming.characters-chinese",
    "characters-halved": "streaming.characters-emoji",
    "no-finish-reason": "finish-reason.known-in-stream streaming.one-finish",
    "finish-on-every-chunk": "streaming.one-finish",
    "finish-twice": "streaming.one-finish streaming.one-finish-copies",
    "finish-before-text": "streaming.one-finish",
    "finish-index-zero": "streaming.one-finish-batch streaming.one-finish-copies",
    "finish-always-stop-streamed": "finish-reason.stream-as-plain",
    "finish-unknown-streamed": "finish-reason.known-in-stream",
    "indexes-from-one": "streaming.index-of-copies streaming.index-of-prompts",
    "indexes-swapped-streamed": "index.prompt-order-in-stream",
    "index-missing-streamed": "streaming.index-of-prompts",
    "id-per-chunk": "streaming.id-constant",
    "created-per-chunk": "streaming.created-constant",
    "model-changes": "streaming.model-constant",
    "burst": "streaming.incremental",
    "error-event": "streaming.error-framed",
    "usage-on-every-chunk": "stream-options.declined-usage stream-options.unasked-usage",
    "include-usage-ignored": "stream-options.usage-chunk",
    "usage-first": "stream-options.usage-last",
    "usage-with-text": "stream-options.only-one-bill stream-options.usage-chunk",
    "stream-billed-twice": "usage.stream-as-plain",
    "stream-options-change-text": "stream-options.obfuscation stream-options.same-text",
    "stream-options-served-plain": "stream-options.needs-stream",
    "stream-options-error-unnamed": "errors.param stream-options.needs-stream-param",
    "special-token-streamed": "text.no-special-tokens-in-stream",
    "created-milliseconds-streamed": "envelope.created-in-stream",
    "id-of-streams-constant": (
        "envelope.id-unique-among-streams envelope.id-unique-of-equal-streams"
    ),
    "stop-for-second-streamed": "finish-reason.stream-as-plain-batch",
    "logprobs-unasked-streamed": "logprobs.absent-in-stream",
    "stream-alternatives-dropped": "logprobs.count-in-stream",
    "stream-offsets-begin-anew": "text-offset.in-stream",
    "stream-tokens-stripped": "logprobs-arrays.stream-tokens",
    "stream-logprobs-missing": "logprobs.returned-in-stream",
    "logprobs-dropped": "logprobs.returned",
    "logprobs-null-plain": "logprobs.returned",
    "logprobs-chat-shape": "logprobs.returned",
    "logprobs-unasked": "logprobs.absent",
    "logprobs-invalid-served": "logprobs.negative-refused logprobs.word-refused",
    "logprobs-null-means-one": "logprobs.null",
    "logprobs-above-dropped": "logprobs.above-maximum logprobs.far-above-maximum",
    "logprobs-zero-disabled": "logprobs.zero",
    "logprobs-zero-lists": "logprobs.zero-lists-none",
    "logprobs-always-one": "logprobs.count logprobs.count-two",
    "array-missing": "logprobs-arrays.parallel",
    "array-short": "logprobs-arrays.parallel logprobs-arrays.parallel-in-stream",
    "tokens-stripped": "logprobs-arrays.join",
    "tokens-as-ids": "logprobs-arrays.one-entry-per-token",
    "bytes-as-replacement": "logprobs-arrays.partial-characters logprobs-arrays.partial-emoji",
    "tokens-of-first-choice": "echo-logprobs.covers-batch logprobs.returned-for-each-choice",
    "flattened": "logprobs-arrays.one-entry-per-token logprobs-arrays.one-entry-per-token-chinese",
    "positive": "logprobs-arrays.never-positive",
    "top-positive": "logprobs-arrays.top-never-positive",
    "top-certain": "logprobs-arrays.mass",
    "top-reversed": "logprobs-arrays.sampled-in-top",
    "sampled-not-listed": "echo-logprobs.alternatives logprobs.count",
    "scores-null": "echo-logprobs.covers-prompt logprobs.returned logprobs.zero",
    "scores-per-mille": "echo-logprobs.sampled-in-top logprobs-arrays.greedy-is-top",
    "scores-not-numbers": "logprobs-arrays.never-positive",
    "streamed-scores-differ": "logprobs-arrays.stream-scores",
    "after-sampling": "logprobs-arrays.before-temperature logprobs-arrays.before-top-p",
    "nan": "envelope.strict-json-logprobs",
    "offset-minus-one": "echo-logprobs.offset-zero text-offset.ascii text-offset.base",
    "offset-bytes": "echo-logprobs.offset-zero-chinese text-offset.chinese",
    "offset-shifted": "echo-logprobs.offset-zero text-offset.base",
    "offset-by-token": "text-offset.ascii",
    "echo-prompt-left-out": "echo-logprobs.covers-prompt",
    "echo-prompt-null": "echo-logprobs.covers-chinese",
    "echo-dropped": "echo.prompt-first",
    "echo-zero-generates": "echo-logprobs.zero-tokens",
    "echo-first-scored": "echo-logprobs.first-null echo-logprobs.first-top-null",
    "echo-scores-late": "echo-logprobs.covers-chinese echo-logprobs.covers-prompt",
    "echo-scores-by-max-tokens": (
        "echo-logprobs.asked-otherwise echo-logprobs.copies-asked-otherwise"
    ),
    "echo-scores-by-length": (
        "echo-logprobs.as-generated echo-logprobs.as-generated-ascii echo-logprobs.follows-text"
    ),
    "batches-scored-otherwise": "echo-logprobs.batch-as-singles",
    "echo-entry-missing": "echo-logprobs.covers-prompt",
    "echo-generated-entry-missing": "echo-logprobs.one-more-entry",
    "broken-byte": (
        "envelope.strict-json envelope.strict-json-chinese envelope.strict-json-logprobs"
    ),
    "not-utf-8": (
        "logprobs-arrays.join-chinese "
        "logprobs-arrays.join-emoji "
        "text.whole-characters-chinese "
        "text.whole-characters-emoji"
    ),
    "id-empty": "envelope.id envelope.id-in-stream",
    "id-missing": "envelope.id",
    "id-constant": "envelope.id-unique envelope.id-unique-in-stream",
    "id-unprefixed": "envelope.id-prefix",
    "object-chat": "envelope.object envelope.object-with-logprobs",
    "created-missing": "envelope.created",
    "created-float": "envelope.created envelope.created-in-stream envelope.created-moves-on",
    "created-milliseconds": "envelope.created",
    "created-long-ago": "envelope.created-is-now",
    "model-empty": "envelope.model envelope.model-in-stream",
    "model-other": "model.named-in-answer model.named-in-stream",
    "fingerprint-number": (
        "envelope.schema "
        "envelope.system-fingerprint "
        "envelope.system-fingerprint-in-stream "
        "streaming.chunk-schema"
    ),
    "choices-empty": "envelope.choices",
    "choices-object": "envelope.choices",
    "choice-doubled": "envelope.choices",
    "n-ignored": "n.choices",
    "n-ignored-in-batches": "index.of-prompts-times-copies",
    "choices-dropped": "n.choices prompt.batch-complete",
    "index-all-zero": "index.of-copies index.of-prompts index.of-prompts-times-copies",
    "index-missing": "index.of-one",
    "index-swapped": "index.prompt-order",
    "index-copies-first": "index.prompt-major",
    "text-missing": "text.present",
    "text-missing-in-batches": "text.present-in-batch",
    "text-in-message": "text.present",
    "leading-space-stripped": (
        "logprobs-arrays.join "
        "text.leading-line-break-of-echo "
        "text.leading-space-in-stream "
        "text.leading-space-of-echo "
        "text.leading-space-of-tokens"
    ),
    "special-token-leak": "text.no-special-tokens",
    "characters-broken": "text.whole-characters-chinese",
    "finish-null": "finish-reason.known",
    "finish-eos": "finish-reason.known finish-reason.known-in-batch",
    "finish-always-stop": "finish-reason.cut-short finish-reason.one-token",
    "finish-always-length": "finish-reason.stop-sequence",
    "finish-always-length-streamed": "finish-reason.stop-sequence-in-stream",
    "finish-of-first": "finish-reason.per-choice",
    "natural-end-called-length": "finish-reason.natural-end",
    "usage-missing": "usage.present",
    "usage-null": "usage.present",
    "usage-strings": "usage.present",
    "usage-zero": "usage.completion-counts-text usage.prompt-has-tokens",
    "usage-without-completion": "usage.present usage.present-in-batch",
    "total-mismatch": "usage.total usage.total-of-batch",
    "usage-doubled": (
        "usage.completion-at-limit "
        "usage.completion-at-limit-chinese "
        "usage.completion-at-one "
        "usage.prompt-not-above-bytes"
    ),
    "completion-zero": "usage.completion-at-one",
    "completion-of-first": (
        "finish-reason.natural-end "
        "finish-reason.natural-end-deep "
        "usage.completion-counts-long-text "
        "usage.completion-of-copies "
        "usage.completion-of-prompts"
    ),
    "prompt-times-n": "usage.prompt-once-for-copies",
    "prompt-of-first": "usage.prompts-of-batch usage.prompts-of-equal-pair usage.total-of-batch",
    "hidden-prompt": (
        "usage.prompt-doubled "
        "usage.prompt-doubled-chinese "
        "usage.prompt-doubled-emoji "
        "usage.prompt-has-tokens "
        "usage.prompt-not-above-bytes"
    ),
    "prompt-times-three": "echo-logprobs.counted-as-billed usage.prompt-not-above-bytes",
    "prompt-with-answer": "usage.prompt-alike",
    "echo-billed": "echo-logprobs.zero-tokens-free usage.echo-not-completion",
    "bare-envelope": "errors.envelope errors.envelope-of-unknown-model",
    "error-is-a-string": "errors.envelope",
    "message-empty": "errors.envelope errors.envelope-of-unknown-model",
    "message-missing": "errors.envelope errors.envelope-of-malformed",
    "param-missing": "errors.four-members errors.four-members-of-unknown-model",
    "type-missing": "errors.four-members-of-unknown-model",
    "code-list": "errors.schema",
    "type-foreign": "errors.type errors.type-of-malformed",
    "param-null-and-unnamed": "errors.param errors.param-of-range",
    "html": "errors.envelope",
    "error-as-text": "errors.content-type errors.content-type-of-malformed",
    "error-as-success": "errors.never-as-success",
    "server-error": "errors.no-server-fault errors.no-server-fault-of-body",
    "server-error-at-depth": "errors.no-server-fault-of-depth",
    "server-error-html": "errors.no-server-fault errors.server-fault-envelope",
    "unprocessable": "errors.bad-type-is-400 errors.out-of-range-is-400",
    "not-found-for-all": "errors.bad-type-is-400",
    "error-streamed": "errors.never-as-success-in-stream errors.stream-as-json",
    "stream-error-other-status": "errors.stream-same-status",
    "malformed-served": ("errors.array-body errors.empty-body errors.malformed-json"),
    "upstream-leak": "errors.no-leak",
    "trace-leak": "errors.no-leak",
    "key-leak": "errors.no-leak",
    "nobody-served": "auth.missing-key auth.missing-key-in-stream",
    "strangers-served": "auth.wrong-key auth.wrong-key-in-stream",
    "everyone-served": "auth.missing-key auth.wrong-key",
    "no-key-is-400": "auth.missing-key auth.wrong-key",
    "wrong-key-code": "auth.wrong-key-code",
    "wrong-key-html": "auth.missing-key-envelope auth.wrong-key-envelope",
    "key-repeated": "auth.key-not-repeated",
    "plain-as-text": "headers.content-type headers.content-type-of-batch",
    "charset-latin": "headers.charset",
    "request-id-constant": "headers.request-id",
    "processing-time-in-words": "headers.processing-time",
    "rate-limits-crossed": "headers.rate-limits",
    "wrong-types-served": (
        "logprobs.word-refused "
        "stream-options.usage-wrong-type "
        "stream-options.wrong-type-refused "
        "stream.wrong-type-refused"
    ),
}
