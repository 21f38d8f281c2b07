"""Headers, compression and connections."""

from __future__ import annotations

import gzip
from dataclasses import replace

from reference_server.behaviour.messages import Behaviour, ClientRequest, ServerResponse
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite

IDLE_SECONDS = 0.02


@variant("charset")
def charset() -> Behaviour:
    """Every content type declares its charset, in capitals."""

    def change(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        kind = (got.header("content-type") or "").partition(";")[0]
        return got.with_header("content-type", f"{kind}; charset=UTF-8")

    return Rewrite(raw=change)


@variant("bare-content-types")
def bare_content_types() -> Behaviour:
    """No content type declares a charset."""

    def change(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        kind = (got.header("content-type") or "").partition(";")[0]
        return got.with_header("content-type", kind)

    return Rewrite(raw=change)


@variant("few-headers")
def few_headers() -> Behaviour:
    """A response has no header but its content type: no request id, no processing time."""

    def change(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        kept = tuple(pair for pair in got.headers if pair[0].startswith(("content-", "retry-")))
        return replace(got, headers=kept)

    return Rewrite(raw=change)


@variant("proxy-headers")
def proxy_headers() -> Behaviour:
    """Proxies have added their headers."""
    left = {
        "via": "1.1 varnish, 1.1 google",
        "cf-ray": "8f1a2b3c4d5e6f70-AMS",
        "cf-cache-status": "DYNAMIC",
        "x-cache": "Miss from cloudfront",
        "x-envoy-upstream-service-time": "27",
        "strict-transport-security": "max-age=15724800; includeSubDomains",
        "set-cookie": "__cf_bm=abc; path=/; HttpOnly",
        "alt-svc": 'h3=":443"; ma=86400',
        "x-oneapi-request-id": "2026112109000012345678",
    }

    def change(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        for name, value in left.items():
            got = got.with_header(name, value)
        return got

    return Rewrite(raw=change)


@variant("gzip")
def gzipped() -> Behaviour:
    """Non-streaming responses and errors are compressed if the client accepts that."""

    def change(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        taken = next((value for name, value in request.headers if name == "accept-encoding"), "")
        if got.is_stream or "gzip" not in taken:
            return got
        # The compressed header has no time, so that equal responses have equal bytes.
        packed = got.with_raw(gzip.compress(got.raw, mtime=0))
        return packed.with_header("content-encoding", "gzip").with_header("vary", "accept-encoding")

    return Rewrite(raw=change)


@variant("identity-encoding")
def identity_encoding() -> Behaviour:
    """Responses name the encoding that was asked for, and the header that they depend on."""

    def change(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        named = got.with_header("content-encoding", "Identity")
        return named.with_header("vary", "accept-encoding")

    return Rewrite(raw=change)


@variant("connection-closed")
def connection_closed() -> Behaviour:
    """The connection is closed after each response, which announces it."""
    return Rewrite(raw=lambda _, got: got.with_header("connection", "close"))


@variant("idle-closed-soon")
def idle_closed_soon() -> Behaviour:
    """A connection without a request is closed after 20 ms."""
    return Rewrite(raw=lambda _, got: replace(got, idle=IDLE_SECONDS))
