"""An error response: what its envelope says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.judgement import Failure, Feature, Missing, shown
from conformance.message import Message, say
from conformance.model import Effect, Exchange, Place
from conformance.protocol.completion import JsonObject

KEY_STATUSES: Mapping[int, Message] = {
    401: say("the key was rejected with 401"),
    402: say("payment is required or the quota is used up (402)"),
    403: say("access was denied (403)"),
}
"""Statuses that concern the key or the account, not the request, and what each says."""


@dataclass(frozen=True)
class ErrorResponse:
    """An error response: the HTTP status and the body as parsed JSON, or as text if it is none.

    ``exchange`` is that of a check's own request, otherwise None. ``is_flat`` is whether the
    document shows the members of an error without an envelope, at the top of the body.
    """

    status: int
    raw: object
    exchange: Exchange | None = field(default=None, compare=False, repr=False)
    is_flat: bool = field(default=False, compare=False, repr=False)

    @property
    def error(self) -> JsonObject:
        """The object inside the error envelope, or the body where the document has no envelope.

        Raises:
            Missing: the body has no ``error`` object.
        """
        inner = self.raw.get("error") if isinstance(self.raw, Mapping) else None
        if self.is_flat and isinstance(self.raw, Mapping) and "error" not in self.raw:
            inner = self.raw
        if isinstance(inner, Mapping):
            return inner
        expected, seen = say('an error envelope {{"error": {{…}}}}'), shown(self.raw)
        # Another part of a server answers for the key.
        feature = Feature.KEY_ENVELOPE if self.status in KEY_STATUSES else Feature.ENVELOPE
        raise Missing(feature, expected, seen, effect=Effect.ALTERED)

    @property
    def words(self) -> str:
        """Whatever the error says, in its envelope or not; other checks judge the form."""
        inner = self.raw.get("error", self.raw) if isinstance(self.raw, Mapping) else self.raw
        if isinstance(inner, Mapping):
            return " ".join(v if isinstance(v, str) else shown(v) for v in inner.values())
        return inner if isinstance(inner, str) else shown(inner)

    @property
    def message(self) -> str:
        """The error message for people.

        Raises:
            Failure: it is missing, empty or not a string.
        """
        value = self.error.get("message")
        if not isinstance(value, str) or not value:
            raise Failure(
                say("error.message a sentence"),
                say("error.message = {value}", value=shown(value)),
                place=Place.MESSAGE,
            )
        return value

    @property
    def param(self) -> object:
        """The name of the invalid parameter, or None."""
        return self.error.get("param")

    @property
    def code(self) -> object:
        """The machine-readable error code, or None."""
        return self.error.get("code")

    @property
    def type(self) -> object:
        """The error type, such as ``invalid_request_error``."""
        return self.error.get("type")
