"""Runs that are for a client, against the endpoint in memory behind a fault."""

from __future__ import annotations

import asyncio

from conformance.contract import load_contract
from conformance.engine.runner import run
from conformance.engine.selection import UNLIMITED, Options, globs_for
from conformance.model import ClientReadiness, Finding, Footer, Run, Target
from conformance.profiles import Profile, load_profile
from conformance.record.events import ExchangeMade, FindingMade, RunFinished, RunStarted
from conformance.record.explained import as_concluded
from tests.fake_server import KEY, MODEL, FakeServer

TARGET = Target("fake:", MODEL, "openai", api_key=KEY)


def run_for(profile: Profile | str, fault: str = "none", contract: str = "openai") -> Run:
    """The whole run, as its record has it."""
    one = load_profile(profile) if isinstance(profile, str) else profile
    options = Options(select=globs_for([one]), profiles=(one,), limits=UNLIMITED)
    return recorded(options, fault, contract)


def recorded(options: Options, fault: str = "none", contract: str = "openai") -> Run:
    """A run with any options."""

    async def record() -> Run:
        header, footer = None, None
        exchanges, findings = [], list[Finding]()
        known = load_contract(contract)
        async for event in run(TARGET, known, options, transport=FakeServer(fault, contract)):
            match event:
                case RunStarted():
                    header = event.header
                case ExchangeMade():
                    exchanges.append(event.exchange)
                case FindingMade():
                    findings.append(event.finding)
                case RunFinished():
                    footer = event.footer
        assert header is not None
        assert isinstance(footer, Footer)
        return Run(header, tuple(exchanges), as_concluded(findings, footer), footer)

    return asyncio.run(record())


def client_of(judged: Run, profile: str) -> ClientReadiness:
    """What a run shows of one client."""
    assert judged.footer is not None
    return next(client for client in judged.footer.readiness if client.profile == profile)


def states_of(judged: Run, profile: str) -> dict[str, str]:
    """The states of a client's needs by their ids."""
    return {need.id: need.state.value for need in client_of(judged, profile).needs}
