"""Where an endpoint is: the base URL as typed, a path on its host, the contract's own path.

Clients of the endpoint are given a base URL and append ``/completions`` to it, so a base URL with a
path is used as it is. A path replaces that path, whatever it was: nothing is appended twice.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

from conformance.contract import LIVING, Contract
from conformance.targets.parsing import BaseUrl, TypedError

ENDING = "/completions"
MAX_PATH_CHARS = 500


def read_path(typed: str) -> str:
    """Validate the path of an endpoint on its host, such as ``/beta/completions``.

    Raises:
        TypedError: it is no such path; the message says what to type instead.
    """
    path = typed.strip()
    if len(path) > MAX_PATH_CHARS:
        raise TypedError(f"must have at most {MAX_PATH_CHARS} characters")
    if not path.startswith("/") or path.startswith("//"):
        raise TypedError(
            f"{path!r} must be a path on the host and begin with one /, such as /beta/completions"
        )
    if any(mark in path for mark in "?#") or not path.isprintable() or " " in path:
        raise TypedError(f"{path!r} must not contain a query, a fragment or blanks")
    if not path.rstrip("/").endswith(ENDING):
        raise TypedError(f"{path!r} must end in {ENDING}, such as /beta/completions")
    path = path.rstrip("/")
    if path.endswith(f"/chat{ENDING}"):
        raise TypedError(f"{path!r} is a path of chat completions; the suite tests completions")
    return path


def located(where: BaseUrl, path: str | None, contract: Contract) -> BaseUrl:
    """Return the base URL at which an endpoint is tested.

    Args:
        where: the base URL as typed.
        path: the endpoint's path on the host, which replaces that of the base URL; None keeps it.
        contract: the contract under test. If it is a server's own documentation, a base URL that
            is only a host gets the path that is documented there.
    """
    if path is not None:
        return replace(where, url=_at(where.url, path), corrected=None)
    is_bare = not urlsplit(where.url).path and where.corrected is None
    if not is_bare or contract.name not in LIVING:
        return where
    url = _at(where.url, contract.path)
    corrected = (
        f"has no path; using {url}, as {contract.name} documents it (an endpoint elsewhere needs "
        f"its path there, or {ENDING} for the root)"
    )
    return replace(where, url=url, corrected=corrected)


def _at(url: str, path: str) -> str:
    """Return the base URL below which a path of the URL's host is ``/completions``."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, path.removesuffix(ENDING), "", ""))
