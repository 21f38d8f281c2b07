"""What a correct endpoint may do, each on its own: none of it may be called a broken promise."""

from __future__ import annotations

from dataclasses import replace

from conformance.model import Credentials
from tests.conformance.checks import honest_rewrites as h
from tests.conformance.checks import rewrites as f
from tests.conformance.checks.rewriting import Change, with_body, with_header

VARIANTS: dict[str, Change] = {
    "nothing-changed": Change(),
    "crlf": h.bytes_of_streams(lambda body: body.replace(b"\n", b"\r\n")),
    "comments": h.bytes_of_streams(
        lambda body: b": ping\n\n" + body.replace(b"}\n\n", b"}\n\n: x\n\n")
    ),
    "no-space-after-data": h.bytes_of_streams(lambda body: body.replace(b"data: ", b"data:")),
    "event-ids": h.bytes_of_streams(
        lambda body: body.replace(b"data: {", b"id: 7\nretry: 9\ndata: {")
    ),
    "more-blank-lines": h.bytes_of_streams(lambda body: body.replace(b"}\n\n", b"}\n\n\n")),
    "charset": Change(
        raw=lambda e: with_header(e, "content-type", f"{e.header('content-type')}; charset=utf-8")
    ),
    "empty-chunks": Change(chunks=h.with_role_chunk),
    "finish-alone": Change(chunks=h.finish_alone),
    "nulls-left-out": f.parts(h.finish_unmentioned),
    "two-tokens-a-chunk": Change(chunks=h.merged),
    "choices-in-sequence": Change(chunks=h.in_sequence),
    "choices-together": Change(chunks=h.together),
    "cut-tail-dropped": f.parts(h.cut_tail_dropped),
    "usage-null-in-chunks": Change(chunks=lambda _, cs: [{"usage": None, **c} for c in cs]),
    "more-members": Change(
        plain=lambda _, w: {
            **w,
            "timings": {},
            "choices": [{**c, "stop_reason": None, "matched_stop": 7} for c in w["choices"]],
            "usage": {**w["usage"], "prompt_tokens_details": {"cached_tokens": 0}},
        },
        chunks=f.parts(lambda part: {**part, "stop_reason": None}).chunks,
        refusal=lambda envelope: {**envelope, "request_id": "r"},
    ),
    "no-fingerprint": Change(
        plain=lambda _, w: {k: v for k, v in w.items() if k != "system_fingerprint"}
    ),
    "fingerprint-null": f.fields(system_fingerprint=None),
    "model-dated": f.fields(model="imagined-2026-01-01"),
    "clock-late": f.fields(created=lambda old: old - 90),
    "choices-backwards": f.choices(lambda _, of: of[::-1]),
    "logprobs-left-out": f.choices(
        lambda _, of: [{k: v for k, v in c.items() if v is not None} for c in of]
    ),
    "offsets-from-zero": h.offsets_from_zero(),
    "start-token-listed": Change(
        plain=f.choices(h.start_token).plain, chunks=h.start_token_streamed
    ),
    "start-token-billed": h.start_token_billed(),
    "end-token-counted": Change(plain=lambda _, whole: h.end_token_counted(whole)),
    "entries-after-stop": f.choices(h.entries_after_stop),
    "greedy-is-certain": Change(
        plain=f.choices(h.greedy_certain).plain,
        chunks=lambda asked, cs: [
            {**c, "choices": h.greedy_certain(asked, c["choices"])} for c in cs
        ],
    ),
    "parts-as-replacement": f.logprobs(
        lambda s: {"tokens": ["\ufffd" if t.startswith("bytes:") else t for t in s["tokens"]]}
    ),
    "parts-share-an-alternative": f.logprobs(h.parts_share_an_alternative),
    "alternatives-capped": Change(
        ask=lambda b: {**b, "logprobs": 5} if b.get("logprobs") in (6, 100) else b
    ),
    "echo-with-logprobs-refused": h.refused(
        400, lambda b: bool(b.get("echo")) and b.get("logprobs") is not None
    ),
    "greedy-copies-refused": h.refused(
        400, lambda b: b.get("temperature") == 0 and (b.get("n") or 1) > 1
    ),
    "older-validator": f.error(param=None, code=None),
    "chinese-errors": Change(
        refusal=lambda e: {"error": {**e["error"], "message": f"参数错误 {e['error']['param']}"}}
    ),
    "disabled-key": Change(
        raw=lambda e: (
            replace(e, status=403)
            if e.request.credentials is Credentials.WRONG and e.status == 401
            else e
        )
    ),
    "manual-linked": f.error(message="see https://example.com/docs/errors#n temperature n stream"),
    "greedy-flickers": Change(
        plain=f.choices(h.Flickering()).plain,
        chunks=lambda asked, cs: (
            [h.scored_closely(c) for c in cs] if asked.get("temperature") == 0 else cs
        ),
    ),
    "at-once": Change(raw=h.at_once),
    "slow-first-token": f.in_stream(h.after_a_wait),
    "no-advisory-headers": Change(
        raw=lambda e: replace(e, headers=(("content-type", e.header("content-type") or ""),))
    ),
    "busy": Change(raw=lambda e: with_body(replace(e, status=503), "busy")),
    "limited": Change(raw=lambda e: with_body(replace(e, status=429), '{"error": {}}')),
}
