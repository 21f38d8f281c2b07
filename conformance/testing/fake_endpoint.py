"""A fake endpoint that responds as a contract says, without a network."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from conformance.contract import Contract
from conformance.model import Arrival, Attempt, Credentials, Exchange, Request
from conformance.testing import fake_extras as extras
from conformance.testing import fake_model as language
from conformance.testing.fake_generation import Draft, generate, value_or
from conformance.testing.fake_validation import Body, RequestError, error_in, prompts_of

MODEL = "fake-model"
JSON_TYPE = "application/json"
STREAM_TYPE = "text/event-stream"
EVENT_SECONDS = 0.01
"""Simulated seconds between two events of a stream."""


class FakeEndpoint:
    """A transport that generates responses itself.

    Samples without a seed are seeded by a counter, so they differ within a run and repeat between
    runs.

    Attributes:
        requests: all requests that were sent, in order.
    """

    def __init__(self, contract: Contract, model: str = MODEL) -> None:
        self._contract = contract
        self._model = model
        self._fields = extras.fields_of(contract)
        self._samples = 0
        self.requests: list[Request] = []

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:  # noqa: ARG002 - nothing is shared here
        """Respond to a request; identical requests get new responses."""
        self.requests.append(request)
        named = {name.lower() for name, _ in request.headers}
        if request.credentials is not Credentials.OWN or "authorization" in named:
            wrong = request.credentials is Credentials.WRONG or "authorization" in named
            message = "Incorrect API key provided" if wrong else "You didn't provide an API key"
            code = "invalid_api_key" if wrong else None
            return self._refusal(request, RequestError(message, code=code, status=401))
        if (request.method, request.path) == ("GET", "/models"):
            entry = {"id": self._model, "object": "model", "owned_by": "conformance"}
            return self._response(request, {"object": "list", "data": [entry]})
        if request.path != "/completions":
            return self._refusal(request, RequestError("there is nothing here", status=404))
        if request.method != "POST":
            return self._refusal(request, RequestError("only POST is allowed", status=405))
        try:
            body = json.loads(request.body)
        except (ValueError, RecursionError):
            return self._refusal(request, RequestError("the body is not JSON"))
        error = error_in(body, self._contract, self._model)
        return self._refusal(request, error) if error else self._complete(request, body)

    def _complete(self, request: Request, body: Body) -> Exchange:
        n = body.get("n") or 1
        prompts = prompts_of(body)
        drafts = [self._drafts(body, prompt, n) for prompt in prompts]
        choices = [choice for of_prompt in drafts for choice in of_prompt]
        read = sum(map(len, prompts)) + len(language.encode(body.get("suffix") or ""))
        written = sum(len(draft.tokens) for draft in choices)
        usage = extras.usage(read, written)
        envelope = {
            "id": f"cmpl-{len(self.requests):08x}",
            "object": extras.object_of(self._contract, "Completion"),
            "created": int(time.time()),
            "model": self._model,
            "system_fingerprint": "fp_fake",
        }
        if body.get("stream"):
            kind = extras.object_of(self._contract, "CompletionChunk")
            return self._stream(request, body, {**envelope, "object": kind}, choices, usage)
        whole = [
            extras.whole_choice(_choice(draft, body, i), draft, body, self._fields)
            for i, draft in enumerate(choices)
        ]
        return self._response(request, {**envelope, "choices": whole, "usage": usage})

    def _drafts(self, body: Body, prompt: list[int], n: int) -> list[Draft]:
        """Generate ``best_of`` candidates and return the best ``n``."""
        candidates = max(n, body.get("best_of") or 1)
        seed = value_or(body.get("seed"), self._contract.parameter("seed").default)
        drafts = []
        for i in range(candidates):
            self._samples += 1
            rng = random.Random(f"{seed}/{i}" if seed is not None else self._samples)  # noqa: S311
            drafts.append(generate(body, prompt, rng, self._contract.default_tokens))
        if candidates == n:
            return drafts
        return sorted(drafts, key=lambda draft: -draft.quality)[:n]

    def _stream(
        self,
        request: Request,
        body: Body,
        envelope: Mapping[str, Any],
        choices: Sequence[Draft],
        usage: Mapping[str, int],
    ) -> Exchange:
        """Stream the choices interleaved, one token of each in turn."""
        wanted = body.get("stream_options")
        options = wanted if isinstance(wanted, dict) else {}
        counted = options.get("include_usage")
        always = counted and options.get("continuous_usage_stats")
        parts = zip_longest(
            *(
                extras.parts_of_choice(_parts(draft, body, i), draft, body, self._fields)
                for i, draft in enumerate(choices)
            )
        )
        chunks: list[Mapping[str, Any]] = []
        for part, so_far in (one for turn in parts for one in turn if one):
            extra = {"usage": so_far if always else None} if counted else {}
            chunks.append({**envelope, "choices": [part], **extra})
        if self._contract.has_usage_with_last_choice:
            chunks[-1] = {**chunks[-1], "usage": usage}
        elif counted:
            chunks.append({**envelope, "choices": [], "usage": usage})
        events = [f"data: {_json(chunk)}\n\n".encode() for chunk in chunks]
        events.append(b"data: [DONE]\n\n")
        events = events[: request.read_events]
        arrivals = tuple(
            Arrival(EVENT_SECONDS * i, len(event)) for i, event in enumerate(events, start=1)
        )
        return self._exchange(request, 200, STREAM_TYPE, b"".join(events), arrivals)

    def _response(
        self, request: Request, response: Mapping[str, Any], status: int = 200
    ) -> Exchange:
        body = _json(response).encode("utf-8", errors="surrogatepass")
        arrivals = (Arrival(EVENT_SECONDS, len(body)),)
        return self._exchange(request, status, JSON_TYPE, body, arrivals)

    def _refusal(self, request: Request, error: RequestError) -> Exchange:
        body = error.members if self._contract.has_flat_errors else {"error": error.members}
        return self._response(request, body, error.status)

    def _exchange(
        self,
        request: Request,
        status: int,
        content_type: str,
        body: bytes,
        arrivals: tuple[Arrival, ...],
    ) -> Exchange:
        number = len(self.requests)
        elapsed = arrivals[-1].at if arrivals else EVENT_SECONDS
        return Exchange(
            id=f"x{number:04d}",
            request=request,
            attempts=(Attempt(EVENT_SECONDS * number, elapsed, status, None),),
            status=status,
            headers=(
                ("content-type", content_type),
                ("x-request-id", f"req_{number:08x}"),
                ("openai-processing-ms", "1"),
            ),
            body=body,
            arrivals=arrivals,
            elapsed=elapsed,
        )


def _choice(draft: Draft, body: Body, index: int) -> dict[str, Any]:
    head = language.decode(draft.prompt) if body.get("echo") else b""
    logprobs = None
    if body.get("logprobs") is not None:
        logprobs = _columns(list(_entries(draft, body)))
    return {
        "text": (head + draft.kept).decode("utf-8", errors="replace"),
        "index": index,
        "logprobs": logprobs,
        "finish_reason": draft.finish_reason,
    }


def _parts(draft: Draft, body: Body, index: int) -> Iterator[dict[str, Any]]:
    """Yield a choice in parts: the echo, one part per token, and the finish reason.

    The parts are slices of the kept text between characters, so that no stop sequence is sent and
    no held text is lost.
    """
    echoes = bool(body.get("echo"))
    text = (language.decode(draft.prompt) if echoes else b"") + draft.kept
    entries = list(_entries(draft, body)) if body.get("logprobs") is not None else None
    ends = [len(language.decode(draft.prompt))] if echoes else [0]
    for token in draft.tokens:
        ends.append(ends[-1] + len(language.token_text(token)))
    sent = result = 0
    for number, end in enumerate(ends):
        known = (len(draft.prompt) if echoes else 0) + number
        cut = _border(text, min(end, len(text)))
        if cut == sent:
            continue
        columns = _columns(entries[result:known]) if entries is not None else None
        fragment = text[sent:cut].decode("utf-8", errors="replace")
        part = {"text": fragment, "index": index, "logprobs": columns, "finish_reason": None}
        yield part | {extras.TOKENS: number}
        sent, result = cut, known
    rest = text[sent:].decode("utf-8", errors="replace")
    columns = _columns(entries[result:]) if entries else None
    reason = draft.finish_reason
    yield {"text": rest, "index": index, "logprobs": columns, "finish_reason": reason}


def _border(text: bytes, end: int) -> int:
    """Return the start of the character at ``end`` if ``end`` is inside one, otherwise ``end``."""
    for back in range(1, min(4, end) + 1):
        byte = text[end - back]
        if byte >= 0xC0:
            width = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2
            return end - back if width > back else end
        if byte < 0x80:
            break
    return end


def _entries(draft: Draft, body: Body) -> Iterator[tuple[str, float | None, Any, int]]:
    """Yield each token's text, log probability, alternatives and offset, with an echoed prompt."""
    count = int(body["logprobs"]) if body["logprobs"] >= 0 else language.SIZE
    head = len(draft.prompt) if body.get("echo") else 0
    distributions = [language.predict(draft.prompt[:i]) for i in range(head)]
    distributions += draft.distributions
    raw = b"" if head else language.decode(draft.prompt)
    for i, token in enumerate([*draft.prompt[:head], *draft.tokens]):
        fragment = language.token_text(token)
        # A token that is entirely after a stop sequence is not part of the response.
        if i >= head and len(raw) >= len(language.decode(draft.prompt)) + len(draft.kept):
            return
        offset = len(raw.decode("utf-8", errors="ignore"))
        raw += fragment
        if head and i == 0:
            yield extras.name_of(token, body), None, None, offset
            continue
        shown = dict.fromkeys([*distributions[i].top(count), token])
        alternatives = {
            extras.name_of(other, body): distributions[i].logprob(other) for other in shown
        }
        yield extras.name_of(token, body), distributions[i].logprob(token), alternatives, offset


def _columns(entries: Sequence[tuple[str, float | None, Any, int]]) -> dict[str, list[Any]]:
    names = ("tokens", "token_logprobs", "top_logprobs", "text_offset")
    return {name: [entry[i] for entry in entries] for i, name in enumerate(names)}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
