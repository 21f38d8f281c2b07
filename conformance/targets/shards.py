"""Shards: divide targets among machines that know nothing of each other.

A target's shard depends on its name and the number of shards alone. So each machine finds its part
by itself, and a target that is added moves no other one.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from conformance.targets.parsing import TypedError

MAX_SHARDS = 1_000
_FORM = re.compile(r"([0-9]{1,4})/([0-9]{1,4})")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of ``count`` shards; the first ``number`` is 1."""

    number: int
    count: int

    def holds(self, name: str) -> bool:
        """Return whether a target is in this shard.

        The first 64 bits of the SHA-256 of its name in UTF-8, modulo the number of shards.
        """
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def read_shard(typed: str) -> Shard:
    """Parse ``NUMBER/COUNT``.

    Raises:
        TypedError: it has another form, or the number is not from 1 to the count.
    """
    found = _FORM.fullmatch(typed.strip())
    if found is None:
        raise TypedError("must have the form NUMBER/COUNT, such as 1/4")
    shard = Shard(int(found[1]), int(found[2]))
    if not 1 <= shard.count <= MAX_SHARDS:
        raise TypedError(f"must have 1 to {MAX_SHARDS:,} shards")
    if not 1 <= shard.number <= shard.count:
        hint = "; an index that begins at 0 needs 1 added" if shard.number == 0 else ""
        raise TypedError(f"must have a number from 1 to {shard.count}{hint}")
    return shard
