"""Accounts, routes and gatekeepers that refuse every request from the fifth on.

The first four are served, which is the preflight and three more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.hostile.server import Call, behaviour

SERVED = 4
PAGE = {"Content-Type": "text/html; charset=utf-8"}


def _refuse(call: Call, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
    """Serve the first requests, and answer all later ones alike."""
    if call.number <= SERVED:
        call.respond_ok()
    else:
        call.respond(body, headers, status)


def _error(message: str, code: str | None = None) -> bytes:
    error = {"message": message, "type": "error", "param": None, "code": code}
    return json.dumps({"error": error}, ensure_ascii=False).encode()


@behaviour("key-revoked")
def key_revoked(call: Call) -> None:
    _refuse(call, 401, _error("key revoked", "invalid_api_key"))


@behaviour("balance-empty")
def balance_empty(call: Call) -> None:
    _refuse(call, 402, _error("Insufficient Balance"))


@behaviour("quota-of-a-relay")
def quota_of_a_relay(call: Call) -> None:
    _refuse(call, 403, _error("用户额度不足, 剩余额度: ＄-0.000002", "insufficient_user_quota"))


@behaviour("quota-as-429")
def quota_as_429(call: Call) -> None:
    _refuse(call, 429, _error("You exceeded your current quota", "insufficient_quota"))


@behaviour("arrearage")
def arrearage(call: Call) -> None:
    _refuse(call, 400, _error("Access denied, make sure your account is in good standing"))


@behaviour("account-frozen")
def account_frozen(call: Call) -> None:
    """Words that no list has, and a status that is usually about the request."""
    _refuse(call, 400, _error("该帐户处于异常状态"))


@behaviour("captcha")
def captcha(call: Call) -> None:
    page = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>"
    _refuse(call, 503, page, {**PAGE, "cf-mitigated": "challenge"})


@behaviour("route-gone")
def route_gone(call: Call) -> None:
    _refuse(call, 404, b"<html><head><title>404 Not Found</title></head></html>", PAGE)


@behaviour("login-page")
def login_page(call: Call) -> None:
    _refuse(call, 302, b"", {"Location": "https://login.example/?next=/v1/completions"})


# ── at the first request ─────────────────────────────────────────────────────────────────────────


@behaviour("deep-error")
def deep_error(call: Call) -> None:
    """An error of 100,000 nested arrays."""
    call.respond(b"[" * 100_000 + b"]" * 100_000, status=401)


@behaviour("deep-models")
def deep_models(call: Call) -> None:
    """An unknown model, and 100,000 nested arrays as the list of the known ones."""
    if call.method == "GET":
        call.respond(b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    else:
        call.respond(_error("The model `m` does not exist", "model_not_found"), status=404)


@behaviour("million-models")
def million_models(call: Call) -> None:
    """An unknown model, and a list of 50,000 others, of which the first has an id of 1 MB."""
    if call.method == "GET":
        long = '{"id": "' + "x" * 1_000_000 + '"},'
        call.respond(('{"data": [' + long + '{"id": "m"},' * 50_000 + "{}]}").encode())
    else:
        call.respond(_error("The model `m` does not exist", "model_not_found"), status=404)
