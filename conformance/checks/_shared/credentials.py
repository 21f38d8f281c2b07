"""Requests without the API key, or with a wrong one.

The key is usually in ``Authorization``, and only that header is altered. Where the run has a secret
header besides, that may be what the endpoint takes as a key, so a request that is served proves
nothing before one without any secret is served, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from conformance.api import Api
from conformance.checks._shared.requests import MINIMAL_REQUEST
from conformance.judgement import NotApplicable
from conformance.message import say
from conformance.model import WRONG_KEY, Credentials
from conformance.protocol.response import Response

AUTHORIZATION = "authorization"


async def present(
    api: Api, credentials: Credentials, body: Mapping[str, Any] | bytes | None = None
) -> Response:
    """Send a request without a key or with a wrong one.

    Args:
        api: the endpoint.
        credentials: :attr:`Credentials.NONE` or :attr:`Credentials.WRONG`.
        body: the body; None is the cheapest one.

    Raises:
        NotApplicable: the run itself uses no key, so the endpoint may not require one, or the
            endpoint takes a secret header as the key.
        Inconclusive: there was no response to the request that tells which.
    """
    body = {"model": api.model, **MINIMAL_REQUEST} if body is None else body
    if api.sends_key:
        response = await api.post(body, credentials=credentials)
        if response.is_served and api.secret_headers:
            await _assert_open_to_anybody(api)
        return response
    headers = _altered(assert_has_key(api), credentials)
    return await api.post(body, credentials=credentials, headers=headers)


def assert_has_key(api: Api) -> Sequence[str]:
    """Return the secret headers that hold the key where ``Authorization`` of the suite does not.

    Only a header named as one with a key is taken for it, such as ``X-Api-Key``: any other may be
    for a proxy in front of the endpoint.

    Raises:
        NotApplicable: the run uses no key.
    """
    keys = [] if api.sends_key else [name for name in api.secret_headers if _is_key(name)]
    if not (api.sends_key or keys):
        raise NotApplicable(say("the run uses no API key"))
    return keys


def _is_key(name: str) -> bool:
    plain = name.lower().replace("-", "").replace("_", "")
    return plain == AUTHORIZATION or plain.endswith("apikey")


def _altered(keys: Sequence[str], credentials: Credentials) -> Mapping[str, str]:
    if credentials is Credentials.NONE:
        return dict.fromkeys(keys, "")
    return {
        name: f"Bearer {WRONG_KEY}" if name.lower() == AUTHORIZATION else WRONG_KEY for name in keys
    }


async def _assert_open_to_anybody(api: Api) -> None:
    """Assert that the endpoint serves the cheapest request without any secret of the run.

    Raises:
        NotApplicable: it does not, so a secret header is the key.
    """
    body = {"model": api.model, **MINIMAL_REQUEST}
    without = dict.fromkeys(api.secret_headers, "")
    with api.without_evidence():
        bare = await api.post(body, credentials=Credentials.NONE, headers=without)
    status = bare.status
    if not bare.is_served:
        raise NotApplicable(
            say(
                "the endpoint serves a request that has {names} but no valid API key, and answers "
                "one that has neither with status {status}",
                names=api.secret_headers,
                status=status,
            )
        )
