"""Every fault of answers by name: the deviation, made small."""

from __future__ import annotations

from dataclasses import replace

from conformance.model import Credentials
from tests.conformance.checks import response_faults as f
from tests.conformance.checks.rewriting import Change, with_body, with_header

UPSTREAM = "Post https://10.3.7.12:8443/v1/completions: dial tcp 10.3.7.12:8443: i/o timeout"
TRACE = 'Traceback (most recent call last):\n  File "/srv/app.py", line 3, in f'

STREAMS: dict[str, Change] = {
    "stream-ignored": f.in_stream(f.as_plain),
    "plain-answer-streamed": Change(
        raw=lambda e: (
            with_header(
                with_body(e, b"data: " + e.body + b"\n\ndata: [DONE]\n\n"),
                "content-type",
                "text/event-stream",
            )
            if e.status == 200 and e.body.startswith(b"{")
            else e
        )
    ),
    "stream-as-json": f.in_stream(lambda e: with_header(e, "content-type", "application/json")),
    "ndjson": f.in_stream(
        lambda e: with_header(
            with_body(e, e.body.replace(b"data: ", b"").replace(b"\n\n", b"\n")),
            "content-type",
            "application/x-ndjson",
        )
    ),
    "bare-line": f.in_stream(
        lambda e: with_body(e, e.body.replace(b"data: [DONE]", b"upstream closed\n\ndata: [DONE]"))
    ),
    "no-blank-line-at-end": f.in_stream(lambda e: with_body(e, e.body.rstrip() + b"\n")),
    "events-merged": f.in_stream(lambda e: with_body(e, e.body.replace(b"}\n\ndata", b"}\ndata"))),
    "broken-json": f.in_stream(lambda e: with_body(e, e.body.replace(b'"index"', b"index", 1))),
    "missing-done": f.in_stream(lambda e: with_body(e, e.body.replace(b"data: [DONE]\n\n", b""))),
    "done-twice": f.in_stream(lambda e: with_body(e, e.body + b"data: [DONE]\n\n")),
    "done-first": f.in_stream(
        lambda e: with_body(e, b"data: [DONE]\n\n" + e.body.replace(b"data: [DONE]\n\n", b""))
    ),
    "chat-usage-chunk": Change(chunks=f.chat_usage_chunk),
    "delta": f.parts(f.delta_shaped),
    "first-token-twice": Change(chunks=f.first_text_twice),
    "pieces-stripped": f.parts(f.pieces_stripped),
    "end-of-second-choice-lost": Change(chunks=f.last_piece_of_second_lost),
    "characters-split": f.parts(f.characters_split),
    "characters-halved": Change(chunks=f.characters_halved),
    "no-finish-reason": f.parts(lambda part: {**part, "finish_reason": None}),
    "finish-on-every-chunk": f.parts(lambda part: {**part, "finish_reason": "length"}),
    "finish-twice": Change(chunks=f.finish_twice),
    "finish-before-text": Change(chunks=f.finish_first),
    "finish-index-zero": f.parts(f.finish_index_zero),
    "finish-always-stop-streamed": f.parts(
        lambda part: {**part, "finish_reason": part["finish_reason"] and "stop"}
    ),
    "finish-unknown-streamed": f.parts(
        lambda part: {**part, "finish_reason": part["finish_reason"] and "eos"}
    ),
    "indexes-from-one": f.parts(lambda part: {**part, "index": part["index"] + 1}),
    "indexes-swapped-streamed": f.parts(lambda part: {**part, "index": 1 - part["index"]}),
    "index-missing-streamed": f.parts(lambda part: {k: v for k, v in part.items() if k != "index"}),
    "id-per-chunk": Change(chunks=f.numbered_ids),
    "created-per-chunk": Change(chunks=f.aging),
    "model-changes": Change(chunks=f.model_revealed_late),
    "burst": Change(raw=f.gathered),
    "error-event": f.in_stream(f.with_error_event),
    "usage-on-every-chunk": Change(chunks=f.usage_everywhere),
    "include-usage-ignored": Change(chunks=f.no_usage_chunk),
    "usage-first": Change(chunks=f.usage_chunk_first),
    "usage-with-text": Change(chunks=f.usage_in_last_text),
    "stream-billed-twice": Change(chunks=f.stream_bill_doubled),
    "stream-options-change-text": Change(
        chunks=lambda asked, chunks: chunks[1:] if asked.get("stream_options") else chunks
    ),
    "stream-options-served-plain": f.drop("stream_options", when=lambda b: not b.get("stream")),
    "stream-options-error-unnamed": f.error(message="no", param=None),
    "special-token-streamed": f.parts(
        lambda part: {**part, "text": part["text"] + "<|im_end|>" * bool(part["finish_reason"])}
    ),
    "stream-logprobs-missing": f.parts(lambda part: {**part, "logprobs": None}),
}

LOGPROBS: dict[str, Change] = {
    "logprobs-dropped": f.drop("logprobs"),
    "logprobs-null-plain": f.choices(lambda _, of: [{**c, "logprobs": None} for c in of]),
    "logprobs-chat-shape": f.choices(
        lambda _, of: [{**c, "logprobs": c["logprobs"] and {"content": []}} for c in of]
    ),
    "logprobs-unasked": Change(
        ask=lambda body: {**body, "logprobs": 1} if body.get("logprobs") is None else body
    ),
    "logprobs-invalid-served": Change(
        ask=lambda body: {**body, "logprobs": 1} if body.get("logprobs") in (-1, "many") else body
    ),
    "logprobs-null-means-one": Change(
        ask=lambda body: (
            {**body, "logprobs": body.get("logprobs", 0) or 1}
            if body.get("logprobs", 0) is None
            else body
        )
    ),
    "logprobs-above-dropped": f.drop("logprobs", when=lambda b: b.get("logprobs") in (6, 100)),
    "logprobs-zero-disabled": f.drop("logprobs", when=lambda b: b.get("logprobs") == 0),
    "logprobs-zero-lists": Change(
        ask=lambda body: {**body, "logprobs": 3} if body.get("logprobs") == 0 else body
    ),
    "logprobs-always-one": Change(
        ask=lambda body: {**body, "logprobs": 1} if body.get("logprobs") in (2, 5) else body
    ),
    "array-missing": f.logprobs(lambda _: {"top_logprobs": None}),
    "array-short": f.logprobs(lambda s: {"text_offset": s["text_offset"][1:]}),
    "tokens-stripped": f.logprobs(lambda s: {"tokens": [t.lstrip(" ") for t in s["tokens"]]}),
    "tokens-as-ids": f.logprobs(lambda s: {"tokens": list(range(len(s["tokens"])))}),
    "bytes-as-replacement": f.logprobs(
        lambda s: {"tokens": ["\ufffd" if t.startswith("bytes:") else t for t in s["tokens"]]}
    ),
    "tokens-of-first-choice": f.choices(
        lambda _, of: [{**c, "logprobs": of[0]["logprobs"]} for c in of]
    ),
    "flattened": f.logprobs(f.flattened),
    "positive": f.logprobs(lambda s: {"token_logprobs": [v and -v for v in s["token_logprobs"]]}),
    "top-positive": f.logprobs(f.maps(lambda top: {k: -v for k, v in top.items()})),
    "top-certain": f.logprobs(f.maps(lambda top: dict.fromkeys(top, 0.0))),
    "top-reversed": f.logprobs(f.maps(f.reversed_values)),
    "sampled-not-listed": f.logprobs(f.maps(f.without_first)),
    "scores-null": f.logprobs(lambda s: {"token_logprobs": [None for _ in s["tokens"]]}),
    "scores-per-mille": f.logprobs(
        lambda s: {"token_logprobs": [v and v - 5 for v in s["token_logprobs"]]}
    ),
    "scores-not-numbers": f.logprobs(
        lambda s: {"token_logprobs": [str(v) for v in s["token_logprobs"]]}
    ),
    "streamed-scores-differ": f.parts(
        lambda part: {
            **part,
            "logprobs": part["logprobs"]
            and {
                **part["logprobs"],
                "token_logprobs": [(v or 0) - 3 for v in part["logprobs"]["token_logprobs"]],
            },
        }
    ),
    "after-sampling": f.choices(f.sharpened),
    "nan": Change(raw=f.nan),
    "offset-minus-one": f.logprobs(lambda s: {"text_offset": [-1 for _ in s["text_offset"]]}),
    "offset-bytes": f.logprobs(f.byte_offsets),
    "offset-shifted": f.logprobs(lambda s: {"text_offset": [o + 7 for o in s["text_offset"]]}),
    "offset-by-token": f.logprobs(lambda s: {"text_offset": list(range(len(s["tokens"])))}),
    "echo-prompt-left-out": f.choices(f.prompt_left_out),
    "echo-prompt-null": f.choices(f.prompt_scores_null),
    "echo-dropped": f.drop("echo"),
    "echo-zero-generates": Change(
        ask=lambda body: {**body, "max_tokens": 1} if body.get("max_tokens") == 0 else body
    ),
    "echo-first-scored": f.echo_scores(
        lambda s: {
            "token_logprobs": [-1.0, *s["token_logprobs"][1:]],
            "top_logprobs": [{s["tokens"][0]: -1.0}, *s["top_logprobs"][1:]],
        }
    ),
    "echo-scores-late": f.echo_scores(f.shifted_scores),
    "echo-scores-by-max-tokens": f.choices(
        lambda asked, of: (
            [
                {
                    **c,
                    "logprobs": {
                        **c["logprobs"],
                        "token_logprobs": [v and v - 2 for v in c["logprobs"]["token_logprobs"]],
                    },
                }
                for c in of
            ]
            if asked.get("echo") and asked.get("max_tokens") == 0 and asked.get("logprobs")
            else of
        )
    ),
    "echo-scores-by-length": f.echo_scores(
        lambda s: {"token_logprobs": [v and v * len(s["tokens"]) / 20 for v in s["token_logprobs"]]}
    ),
    "echo-entry-missing": f.echo_scores(
        lambda s: {name: [*v[:2], *v[3:]] for name, v in s.items()}
    ),
    "echo-generated-entry-missing": f.choices(
        lambda asked, of: (
            [{**c, "logprobs": {k: v[:-1] for k, v in c["logprobs"].items()}} for c in of]
            if asked.get("echo")
            and asked.get("max_tokens") == 1
            and asked.get("logprobs") is not None
            else of
        )
    ),
}

ANSWERS: dict[str, Change] = {
    "broken-byte": Change(
        raw=lambda e: with_body(e, e.body.replace(b'"fp_imagined"', b'"fp_\xff"'))
    ),
    "not-utf-8": Change(raw=f.latin_1),
    "id-empty": f.fields(id=""),
    "id-missing": f.fields(id=None),
    "id-constant": f.fields(id="cmpl-1"),
    "id-unprefixed": f.fields(id=lambda old: old.replace("cmpl-", "")),
    "object-chat": f.fields(object="chat.completion"),
    "created-missing": f.fields(created=None),
    "created-float": f.fields(created=lambda old: old + 0.5),
    "created-milliseconds": f.fields(created=lambda old: old * 1000),
    "created-long-ago": f.fields(created=1589478378),
    "model-empty": f.fields(model=""),
    "model-other": f.fields(model="gpt-4o"),
    "fingerprint-number": f.fields(system_fingerprint=7),
    "choices-empty": Change(plain=lambda _, whole: {**whole, "choices": []}),
    "choices-object": Change(plain=lambda _, whole: {**whole, "choices": whole["choices"][0]}),
    "choice-doubled": f.choices(lambda _, of: of * 2),
    "n-ignored": f.drop("n"),
    "choices-dropped": f.choices(f.only_first),
    "index-all-zero": f.choices(f.index_zero),
    "index-missing": f.choices(
        lambda _, of: [{k: v for k, v in c.items() if k != "index"} for c in of]
    ),
    "index-swapped": f.choices(f.swapped),
    "index-copies-first": f.choices(f.interleaved),
    "text-missing": f.choices(
        lambda _, of: [{k: v for k, v in c.items() if k != "text"} for c in of]
    ),
    "text-in-message": f.choices(
        lambda _, of: [{**c, "text": None, "message": {"content": c["text"]}} for c in of]
    ),
    "leading-space-stripped": f.texts(str.lstrip),
    "special-token-leak": f.texts(lambda text: f"{text}<|endoftext|>"),
    "characters-broken": f.texts(
        lambda text: "".join(c if c < "\x7f" else "\ufffd " for c in text)
    ),
    "finish-null": f.reasons(lambda *_: None),
    "finish-eos": f.reasons(lambda *_: "eos"),
    "finish-always-stop": f.reasons(lambda *_: "stop"),
    "finish-always-length": f.reasons(lambda *_: "length"),
    "finish-always-length-streamed": f.parts(
        lambda part: {**part, "finish_reason": part["finish_reason"] and "length"}
    ),
    "finish-of-first": f.choices(f.reason_of_first),
    "natural-end-called-length": f.usage(
        lambda _, bill: {"completion_tokens": min(9, bill["completion_tokens"])}
    ),
    "usage-missing": Change(plain=lambda _, w: {k: v for k, v in w.items() if k != "usage"}),
    "usage-null": f.fields(usage=None),
    "usage-strings": f.usage(lambda _, bill: {k: str(v) for k, v in bill.items()}),
    "usage-zero": f.usage(lambda _, bill: dict.fromkeys(bill, 0)),
    "usage-without-completion": f.fields(
        usage=lambda old: old and {k: v for k, v in old.items() if k != "completion_tokens"}
    ),
    "total-mismatch": f.usage(lambda _, bill: {"total_tokens": bill["total_tokens"] + 3}),
    "usage-doubled": f.usage(lambda _, bill: {k: 2 * v for k, v in bill.items()}),
    "completion-zero": f.usage(lambda *_: {"completion_tokens": 0}),
    "completion-of-first": f.usage(
        lambda _, bill: {"completion_tokens": min(16, bill["completion_tokens"])}
    ),
    "prompt-times-n": f.usage(
        lambda asked, bill: {"prompt_tokens": bill["prompt_tokens"] * (asked.get("n") or 1)}
    ),
    "prompt-of-first": f.usage(
        lambda asked, _: {"prompt_tokens": 36} if isinstance(asked.get("prompt"), list) else {}
    ),
    "hidden-prompt": f.usage(lambda _, bill: {"prompt_tokens": bill["prompt_tokens"] + 12}),
    "prompt-times-three": f.usage(lambda _, bill: {"prompt_tokens": 3 * bill["prompt_tokens"]}),
    "prompt-with-answer": f.usage(
        lambda asked, bill: {"prompt_tokens": bill["prompt_tokens"] + asked.get("max_tokens", 0)}
    ),
    "echo-billed": f.usage(
        lambda asked, bill: (
            {"completion_tokens": sum(bill.values()) // 2} if asked.get("echo") else {}
        )
    ),
}

ERRORS: dict[str, Change] = {
    "bare-envelope": Change(refusal=lambda envelope: {"detail": envelope["error"]["message"]}),
    "error-is-a-string": Change(refusal=lambda envelope: {"error": envelope["error"]["message"]}),
    "message-empty": f.error(message=""),
    "message-missing": f.error(message=...),
    "param-missing": f.error(param=...),
    "type-missing": f.error(type=...),
    "code-list": f.error(code=[1]),
    "type-foreign": f.error(type="new_api_error"),
    "param-null-and-unnamed": f.error(message="bad request", param=None),
    "html": f.in_errors(
        lambda e: with_header(with_body(e, "<html>Bad Request</html>"), "content-type", "text/html")
    ),
    "error-as-text": f.in_errors(lambda e: with_header(e, "content-type", "text/plain")),
    "error-as-success": f.in_errors(f.told_as_success),
    "server-error": f.status(500, 400),
    "server-error-at-depth": f.in_errors(
        lambda e: replace(e, status=500) if b"[[[[" in e.request.body else e
    ),
    "server-error-html": f.in_errors(
        lambda e: (
            with_body(replace(e, status=500), "<html>Internal Server Error</html>")
            if e.status == 400
            else e
        )
    ),
    "unprocessable": f.status(422, 400),
    "not-found-for-all": f.status(404, 400),
    "error-streamed": f.in_errors(f.error_streamed),
    "stream-error-other-status": f.in_errors(
        lambda e: replace(e, status=404) if b'"stream":true' in e.request.body else e
    ),
    "malformed-served": Change(
        raw=lambda e: (
            with_body(replace(e, status=200), "{}") if not e.request.body.endswith(b"}") else e
        )
    ),
    "upstream-leak": f.error(message=UPSTREAM),
    "trace-leak": f.error(message=TRACE),
    "key-leak": f.error(message="no quota for sk-A1b2C3d4E5f6G7h8I9j0K1l2M3"),
    "nobody-served": f.open_to(Credentials.NONE),
    "strangers-served": f.open_to(Credentials.WRONG),
    "no-key-is-400": f.status(400, 401),
    "wrong-key-code": f.error(code="bad_key"),
    "wrong-key-html": f.in_errors(
        lambda e: with_body(e, "<html>no</html>") if e.status == 401 else e
    ),
    "key-repeated": f.in_errors(f.key_repeated),
    "plain-as-text": Change(raw=lambda e: with_header(e, "content-type", "text/plain")),
    "charset-latin": Change(
        raw=lambda e: with_header(e, "content-type", "application/json; charset=latin-1")
    ),
    "request-id-constant": Change(raw=lambda e: with_header(e, "x-request-id", "1")),
    "processing-time-in-words": Change(
        raw=lambda e: with_header(e, "openai-processing-ms", "soon")
    ),
    "rate-limits-crossed": Change(
        raw=lambda e: with_header(
            with_header(e, "x-ratelimit-limit-requests", "10"),
            "x-ratelimit-remaining-requests",
            "999",
        )
    ),
    "wrong-types-served": Change(
        ask=lambda body: {
            k: v
            for k, v in body.items()
            if not (k in ("stream", "stream_options", "logprobs") and isinstance(v, str))
            and v != {"include_usage": "perhaps"}
        }
    ),
}

FAULTS: dict[str, Change] = {**STREAMS, **LOGPROBS, **ANSWERS, **ERRORS}
