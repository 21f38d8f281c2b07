"""The forms of a secret: what to search for in which view of a body.

A form is searched for as it is, ignoring case, with everything but letters and digits left out, or
with everything but the alphabet of base64 left out. So a key is also found with blanks in it, in
hexadecimal with any separator, and in base64 with line breaks.
"""

from __future__ import annotations

import base64
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from string import ascii_letters, digits

from conformance.transport.views import Alphabet, Span, View

LEAST = 8
"""Minimum bytes of a form: what a secret is in another encoding can be shorter than itself."""

LONGEST_SWALLOWED = 8
"""Bytes of an escape that can end with the first characters of a secret."""

_CAN_END_ESCAPE = re.compile(rb"[0-9a-fA-Fnrtux\"'/]")

LEAST_SQUEEZED = 16
"""Minimum letters and digits of a secret that is also searched for without its punctuation.

The words of a shorter one could follow each other in an innocent text.
"""

_PREFIX = re.compile(rb"(?:[a-z0-9]{1,6}[-_]){1,3}")
"""What a vendor puts before the random part of its keys, such as ``sk-proj-``."""

LEAST_REVERSED = 12
"""Minimum characters of a secret that is also searched for in reverse."""

_LETTERS = Alphabet((ascii_letters + digits).encode())
_BASE64 = Alphabet((ascii_letters + digits + "+/-_").encode())
_TO_BASE64 = bytes.maketrans(b"-_", b"+/")
"""Makes one of the two alphabets of base64."""


MOST_FOUND = 2_000
"""Occurrences of one form from which on a body is nothing but an attack."""


class TooManyError(Exception):
    """A secret is in a body so often that the whole body is replaced by ``mark``."""

    def __init__(self, mark: bytes) -> None:
        super().__init__(mark)
        self.mark = mark


@dataclass(frozen=True, slots=True)
class Needle:
    """One form of a secret.

    Attributes:
        form: the bytes to search for.
        mark: what replaces them.
        rest: what replaces all pieces but the first, if the form is in several.
        before, after: how many bytes before and after it belong to it as well.
        values: the byte values of ``form``, as bits.
        counts: each byte of ``form``, and how often it is in it; the most frequent first.
    """

    form: bytes
    mark: bytes
    rest: bytes = b""
    before: int = 0
    after: int = 0
    values: int = field(init=False, compare=False)
    counts: tuple[tuple[int, int], ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        counts = Counter(self.form).most_common()
        object.__setattr__(self, "values", _bits(value for value, _ in counts))
        object.__setattr__(self, "counts", tuple(counts))

    def can_be_made_of(self, data: bytes) -> bool:
        """Return whether ``data`` has all characters of the form, in any order."""
        return all(data.count(value) >= count for value, count in self.counts)

    def spans(self, data: bytes) -> Iterator[Span]:
        """Yield where the form is, from left to right."""
        start = data.find(self.form)
        while start >= 0:
            end = start + len(self.form)
            left, right = max(0, start - self.before), min(len(data), end + self.after)
            yield Span(left, right, self.mark, self.rest)
            start = data.find(self.form, end)


class Forms:
    """Forms of secrets that are searched for in the same view.

    Most bodies lack some character of a form, which takes less time to see than the form.
    """

    def __init__(self, needles: Iterable[Needle], least: int = LEAST) -> None:
        known: dict[bytes, Needle] = {}
        for needle in needles:
            if len(needle.form) >= least:
                known.setdefault(needle.form, needle)
        self._needles = tuple(known.values())
        self._values = bytes(set(b"".join(known)))
        self.shortest = min(map(len, known), default=sys.maxsize)

    def possible_in(self, data: bytes) -> tuple[Needle, ...]:
        """Return the forms all of whose characters are in ``data``, in any order."""
        missing = _bits(self._values.translate(None, data))
        return tuple(needle for needle in self._needles if not needle.values & missing)


def found_in(data: bytes, needles: Iterable[Needle]) -> list[Span]:
    """Return where the needles are.

    Raises:
        TooManyError: one of them is there :data:`MOST_FOUND` times.
    """
    spans: list[Span] = []
    for needle in needles:
        some = list(islice(needle.spans(data), MOST_FOUND))
        if len(some) == MOST_FOUND:
            raise TooManyError(needle.mark)
        spans += some
    return spans


class Needles:
    """All forms of some secrets, by the kind of view that they are searched for in.

    Attributes:
        look_escaped: whether a secret has characters that begin an escape.
        shortest: bytes of the shortest form. No encoding is shorter than what it encodes, so
            shorter texts need no search.
    """

    def __init__(self, secrets: Sequence[Secret]) -> None:
        self.look_escaped = any(not set("\\%&").isdisjoint(secret.text) for secret in secrets)
        self._tails = [
            (
                secret.raw[:count],
                Forms([Needle(secret.raw[count:], secret.mark, before=1)], least=1),
            )
            for secret in secrets
            for count in (1, 2)
            if _CAN_END_ESCAPE.match(secret.raw)
        ]
        self._exact = Forms(form for secret in secrets for form in _exact(secret))
        self._folded = Forms(form for secret in secrets for form in _folded(secret))
        self._squeezed = Forms(form for secret in secrets for form in _squeezed(secret))
        self._base64 = Forms(form for secret in secrets for form in _in_base64(secret))
        all_forms = (self._exact, self._folded, self._squeezed, self._base64)
        tails = [forms.shortest for _, forms in self._tails]
        self.shortest = min([*(forms.shortest for forms in all_forms), *tails])

    def are_possible_in(self, data: bytes) -> bool:
        """Return whether ``data`` has all characters of any form, in any order."""
        lower = data.lower()
        return any(
            needle.can_be_made_of(text)
            for forms, text in (
                (self._exact, data),
                (self._folded, lower),
                (self._squeezed, lower),
                (self._base64, data.translate(_TO_BASE64)),
            )
            for needle in forms.possible_in(text)
        )

    def exact(self, view: View) -> list[Span]:
        """Find the secrets as they are, in bytes of the body."""
        return view.in_body(found_in(view.data, self._exact.possible_in(view.data)))

    def swallowed(self, view: View) -> list[Span]:
        """Find the secrets whose first characters look like the end of an escape before them.

        A percent sign before the key ``20ab`` is not an escape, but is decoded as one.
        """
        return [
            span
            for first, forms in self._tails
            for span in view.in_body(found_in(view.data, forms.possible_in(view.data)))
            if first in view.body[span.start : span.start + LONGEST_SWALLOWED]
        ]

    def everywhere(self, view: View) -> list[Span]:
        """Find all forms, in bytes of the body."""
        data, lower = view.data, view.data.lower()
        spans = self.exact(view)
        if needles := self._folded.possible_in(lower):
            spans += view.in_body(found_in(lower, needles))
        for forms, alphabet, text in (
            (self._squeezed, _LETTERS, lower),
            (self._base64, _BASE64, data.translate(_TO_BASE64)),
        ):
            needles = forms.possible_in(text)
            if needles and (found := found_in(alphabet.squeeze(text), needles)):
                spans += alphabet.view(view).in_body(found)
        return spans


def _bits(values: Iterable[int]) -> int:
    bits = 0
    for value in values:
        bits |= 1 << value
    return bits


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret and its replacement; a ``loose`` one is also searched for in disguise.

    A key such as ``your-api-key-here`` is not: its words are also those of error messages.
    """

    text: str
    mark: bytes
    loose: bool

    @property
    def raw(self) -> bytes:
        """The secret in UTF-8."""
        return self.text.encode("utf-8", "surrogatepass")


def _exact(secret: Secret) -> Iterator[Needle]:
    yield Needle(secret.raw, secret.mark)
    if not secret.text.isascii():
        # JSON writes a character beyond U+FFFF as two escapes, each of which is decoded by itself.
        halves = secret.text.encode("utf-16-be", "surrogatepass")
        units = [int.from_bytes(halves[i : i + 2]) for i in range(0, len(halves), 2)]
        yield Needle("".join(map(chr, units)).encode("utf-8", "surrogatepass"), secret.mark)
        yield Needle(secret.text.encode("latin-1", "ignore"), secret.mark)


def _without_prefix(secret: Secret) -> bytes:
    """Return the random part of a key, which relays keep without ``sk-``; empty if it is short."""
    prefix = _PREFIX.match(secret.raw)
    rest = secret.raw[prefix.end() :] if prefix else b""
    return rest if len(rest) >= LEAST_SQUEEZED else b""


def _folded(secret: Secret) -> Iterator[Needle]:
    if secret.loose:
        yield Needle(secret.raw.lower(), secret.mark)
        yield Needle(_without_prefix(secret).lower(), secret.mark)
    for backwards in islice(_both_ways(secret), 1, None):
        yield Needle(backwards.lower(), secret.mark)


def _squeezed(secret: Secret) -> Iterator[Needle]:
    """Forms in lower-case letters and digits: the secret, in hexadecimal, as codes, in base32.

    Codes are decimal or octal.
    """
    raw, mark = secret.raw, secret.mark
    for spelled in _both_ways(secret):
        hexadecimal = [f"{byte:02x}" for byte in spelled]
        for prefix in ("", "x", "0x"):
            yield Needle(prefix.join(hexadecimal).encode(), mark)
        # In reverse, the digits of each byte are swapped as well.
        yield Needle("".join(hexadecimal)[::-1].encode(), mark)
    yield Needle("0o".join(f"{byte:o}" for byte in raw).encode(), mark)
    # A list of codes is a list of numbers after the replacement, too.
    for code in ("1d", "03d", "o", "03o"):
        yield Needle("".join(f"{byte:{code}}" for byte in raw).encode(), b"0", rest=b"0")
    for before in range(5):
        form = _aligned(base64.b32encode, raw, before, bits=5, mark=mark)
        yield replace(form, form=form.form.lower())
    letters = _LETTERS.squeeze(raw).lower()
    if secret.loose and len(letters) >= LEAST_SQUEEZED:
        yield Needle(letters, mark)
        yield Needle(letters[::-1], mark)
        rest = _LETTERS.squeeze(_without_prefix(secret)).lower()
        yield from [Needle(rest, mark)] if len(rest) >= LEAST_SQUEEZED else []


def _both_ways(secret: Secret) -> Iterator[bytes]:
    """Yield the secret, and in reverse if it is long enough."""
    yield secret.raw
    if secret.loose and len(secret.text) >= LEAST_REVERSED:
        yield secret.text[::-1].encode("utf-8", "surrogatepass")


def _in_base64(secret: Secret) -> Iterator[Needle]:
    """The secret in base64 at each of the three alignments, and that in base64 once more.

    Once it is also searched for in reverse, before and after its encoding.
    """
    for spelled in _both_ways(secret):
        for before in range(3):
            plain = _aligned(base64.b64encode, spelled, before, bits=6, mark=secret.mark)
            yield plain
            if secret.loose:
                # The shared characters change sides.
                yield replace(plain, form=plain.form[::-1], before=plain.after, after=plain.before)
    for before in range(3):
        inner = _aligned(base64.b64encode, secret.raw, before, bits=6, mark=secret.mark)
        spellings = {inner.form, inner.form.translate(bytes.maketrans(b"+/", b"-_"))}
        for spelling in sorted(spellings):
            for outer in range(3):
                yield _aligned(base64.b64encode, spelling, outer, bits=6, mark=secret.mark)


def _aligned(
    encode: Callable[[bytes], bytes], raw: bytes, before: int, *, bits: int, mark: bytes
) -> Needle:
    """Return what ``raw`` is after ``before`` other bytes, without the characters it shares.

    Those, at the edges, mix bits of the secret with bits of its neighbours, and belong to it.
    """
    padded = encode(b"\0" * before + raw)
    first = -(-before * 8 // bits)
    last = (before + len(raw)) * 8 // bits
    left = int(before * 8 % bits > 0)
    right = int((before + len(raw)) * 8 % bits > 0)
    return Needle(padded[first:last], mark, before=left, after=right)
