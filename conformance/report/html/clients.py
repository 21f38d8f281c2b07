"""Clients for the page: each need with the findings and exchanges that show its state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from conformance.language import Text
from conformance.model import ClientReadiness, NeedResult, Readiness, Run
from conformance.report.clients import by_readiness, clients_of, sentence_of, why_of, without


@dataclass(frozen=True, slots=True)
class NeedView:
    """A need with its evidence.

    ``own`` are ids of exchanges that are shown with it, ``elsewhere`` of those that are shown with
    a finding or with another need, ``findings`` those of the page.
    """

    need: NeedResult
    own: tuple[str, ...]
    elsewhere: tuple[str, ...]
    findings: tuple[str, ...]

    @property
    def says(self) -> Text:
        """The need."""
        return sentence_of(self.need)

    @property
    def why(self) -> Text:
        """What shows it unmet, or why it was not tested."""
        return why_of(self.need)

    @property
    def without(self) -> Text:
        """What the client does where it is unmet."""
        return without(self.need)


@dataclass(frozen=True, slots=True)
class ClientView:
    """A client with its needs."""

    client: ClientReadiness
    needs: tuple[NeedView, ...]


def clients(run: Run) -> Mapping[Readiness, tuple[ClientView, ...]]:
    """Return the clients that the page shows, by what the run shows of them."""
    known = {exchange.id for exchange in run.exchanges}
    findings = {finding.id for finding in run.findings}
    # A page has each exchange once, and an address only for that one place.
    placed = {key for finding in run.findings for key in finding.exchanges}

    def viewed(need: NeedResult) -> NeedView:
        keys = [key for key in need.exchanges if key in known]
        own = tuple(key for key in keys if key not in placed)
        placed.update(own)
        elsewhere = tuple(key for key in keys if key not in own)
        return NeedView(need, own, elsewhere, tuple(f for f in need.findings if f in findings))

    return {
        state: tuple(ClientView(one, tuple(map(viewed, one.needs))) for one in alike)
        for state, alike in by_readiness(clients_of(run)).items()
    }
