"""The key of a run: two records with the same one are the same run, made twice.

A run can be given up and taken up, and its parts made on several machines; the key says what
belongs together. It is not stored but derived from the header, so that it cannot contradict it.
"""

from __future__ import annotations

from dataclasses import dataclass

from conformance.model import Header

DAY_CHARS = len("2026-12-01")


@dataclass(frozen=True, slots=True)
class RunKey:
    """What makes a run the one that it is.

    Attributes:
        target: the target's name in ``conformance.toml``; without one, base URL and model.
        region: where the requests were sent from, in the user's word; None if it was not said.
        tier: the name of the tier.
        contract: the SHA-256 of the contract; None in records of older versions.
        suite: the version of the suite that sent the requests.
        when: the user's label, or the day on which the run began, in UTC.
    """

    target: str
    region: str | None
    tier: str
    contract: str | None
    suite: str
    when: str


def key_of(header: Header) -> RunKey:
    """Return the key of a run."""
    return RunKey(
        target=header.target or f"{header.base_url} {header.model}",
        region=header.region,
        tier=header.tier.value,
        contract=header.contract_digest,
        suite=header.recorded_by or header.suite_version,
        when=header.label or header.started_at[:DAY_CHARS],
    )
