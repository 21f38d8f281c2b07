"""Execute one run against planted faults, and try the commands that it prints."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from conformance.contract import Contract, load_contract
from conformance.engine.runner import run
from conformance.engine.selection import Options
from conformance.model import (
    Exchange,
    Finding,
    Footer,
    Header,
    Request,
    Run,
    State,
    Target,
    Verdict,
)
from conformance.record.events import ExchangeMade, FindingMade, RunFinished, RunStarted
from conformance.record.explained import as_concluded
from conformance.report.case import Case, case_of
from conformance.report.summary import Summary
from conformance.selftest.attribution import DEVIATING, Claim, Planting, RunResult
from conformance.selftest.execution import COUNTING, MAX_SENTENCE_CHARS
from conformance.selftest.reproduction import (
    Answer,
    differ_in_form,
    finds_again,
    run_command,
    shows_deviation,
)
from conformance.selftest.trials import NOTHING
from conformance.targets.bundled import BundledServer
from conformance.transport.client import Client

QUIET = frozenset({Verdict.PASS, Verdict.EXPLAINED, Verdict.SKIPPED, Verdict.INFO})
CALM = frozenset({State.HONOURED, State.ACCEPTED, State.UNTESTED, State.UNCLEAR})
"""The states that do not say that anything deviates."""

GREEDY = re.compile(rb'"temperature": ?0[,}]')
"""Part of a request whose text is not sampled."""

TRIES_COUNTING = 3
"""How often a command is run if the fault is in every third response, which no report can know."""

MAX_TRIES = 10
"""How often a command is run at most, however often the report says that it was sent."""

KEY_ENV = Target("", "", "").api_key_env
"""The variable that holds the key of the bundled server."""

TRIES_SUITE = 3
"""How often the suite's own command is run: a busy machine cannot judge what is about time."""

TRIES_CORRECT = 4
"""How often a command is run against the correct server, to learn what it varies."""


async def result_of(planting: Planting, server: BundledServer) -> RunResult:
    """Run all checks of the tier against the planted faults, then every finding's commands."""
    started = time.monotonic()
    contract = load_contract(planting.first.contract)
    target = _target(server, planting.path(), contract)
    record = await _record(target, contract, planting)
    summary = Summary(record)
    counting = any(trial.trigger == COUNTING for trial in planting.trials)
    tries = TRIES_COUNTING if counting else 1
    result = RunResult(
        planting,
        tuple(
            [
                await _claim(summary, finding, server, planting, tries)
                for finding in sorted(record.findings, key=lambda finding: finding.id)
                if finding.verdict not in QUIET
            ]
        ),
        {key: requirement.subject for key, requirement in contract.requirements.items()},
        {row.subject.name: row.state.value for row in summary.rows if row.state not in CALM},
        summary.sentence.en,
        because=record.footer.because if record.footer else None,
    )
    if len(planting.trials) > 1:
        result = replace(result, masked=await _masked(result, record.exchanges, server, contract))
    return replace(result, seconds=round(time.monotonic() - started, 3))


def ended_early(planting: Planting, error: Exception) -> RunResult:
    """Return the result of a run that ended with an internal error of the suite."""
    reason = f"internal error of the suite: {type(error).__name__}: {error}"
    return RunResult(planting, (), {}, {}, "", because=reason[:MAX_SENTENCE_CHARS])


async def _record(target: Target, contract: Contract, planting: Planting) -> Run:
    header: Header | None = None
    footer: Footer | None = None
    exchanges: list[Exchange] = []
    findings: list[Finding] = []
    options = Options(planting.first.tier, seed=planting.first.seed)
    async with aclosing(run(target, contract, options)) as events:
        async for event in events:
            match event:
                case RunStarted():
                    header = event.header
                case ExchangeMade():
                    exchanges.append(event.exchange)
                case FindingMade():
                    findings.append(event.finding)
                case RunFinished():
                    footer = event.footer
    assert header is not None  # noqa: S101 - every run starts with its header
    return Run(header, tuple(exchanges), as_concluded(findings, footer), footer)


async def _claim(
    summary: Summary, finding: Finding, server: BundledServer, planting: Planting, tries: int
) -> Claim:
    command = rerun = None
    shown: _Shown | None = None
    if finding.verdict in DEVIATING:
        case = case_of(summary, finding)
        command, rerun = case.command, case.suite_command
        shown = await asyncio.to_thread(_shown, case, planting, server, tries)
    return Claim(
        finding.id,
        finding.requirement,
        finding.subject,
        finding.level,
        finding.verdict,
        finding.message[:MAX_SENTENCE_CHARS],
        finding.seen,
        command,
        shown.again if shown else None,
        rerun,
        by_suite=shown is not None and shown.by_suite,
    )


class _Shown(NamedTuple):
    """Whether a finding was shown again, and whether by the suite's own command alone."""

    again: bool
    by_suite: bool


def _shown(case: Case, planting: Planting, server: BundledServer, tries: int) -> _Shown:
    """Run the commands of a finding until one shows it, the suite's own last.

    That one counts only if the report says that requests alone do not show it, or prints none.
    """
    # As often as the report says.
    tries = max(tries, min(case.decisive.times, MAX_TRIES)) if case.decisive else tries
    if _is_shown_by(case.commands, case.finding.id, planting, server, tries):
        return _Shown(again=True, by_suite=False)
    if case.commands and case.caution is None:
        return _Shown(again=False, by_suite=False)
    again = any(
        finds_again(
            _at_a_fresh_server(case.suite_command, planting, f"{case.finding.id}-suite-{attempt}"),
            case.finding.id,
            KEY_ENV,
            server.api_key,
        )
        for attempt in range(TRIES_SUITE)
    )
    return _Shown(again, by_suite=again)


def _is_shown_by(
    commands: Sequence[str], check: str, planting: Planting, server: BundledServer, tries: int
) -> bool:
    """Run the commands of a finding in order, and that several times; see whether one shows it."""
    faulty: dict[str, list[Answer]] = {command: [] for command in commands}
    right = f"{planting.first.dialect}/{NOTHING}/attribution"
    for _ in range(tries):
        for command, answers in faulty.items():
            sent = _at_a_fresh_server(command, planting, check)
            answers.append(run_command(sent, KEY_ENV, server.api_key))
            elsewhere = command.replace(f"/{planting.path()}/v1", f"/{right}/v1")
            if shows_deviation(answers, _correct_answers(elsewhere, KEY_ENV, server.api_key)):
                return True
    return False


def _at_a_fresh_server(command: str, planting: Planting, purpose: str) -> str:
    """Let a command use a server with the same faults that has served nothing before.

    What a run has changed in the first one, such as a cache, may not be there for a reader.
    """
    path = planting.path()
    return command.replace(f"/{path}/v1", f"/{path}-{purpose}/v1")


@lru_cache(maxsize=2048)
def _correct_answers(command: str, key_env: str, key: str) -> tuple[Answer, ...]:
    """Run a command against the server without faults; many runs print the same ones."""
    return tuple(run_command(command, key_env, key) for _ in range(TRIES_CORRECT))


async def _masked(
    result: RunResult, exchanges: Iterable[Exchange], server: BundledServer, contract: Contract
) -> frozenset[str]:
    """Return the unreported faults without which all responses of the server are the same."""
    requests = tuple(dict.fromkeys(exchange.request for exchange in exchanges))
    masked = set()
    async with _asking(server, result.planting.path(), contract) as faulty:
        for trial in result.unreported:
            path = result.planting.path(without=trial.name)
            async with _asking(server, path, contract) as without:
                for request in requests:
                    if await answers_differ(request, faulty, without):
                        break
                else:
                    masked.add(trial.name)
    return frozenset(masked)


class Sends(Protocol):
    """Whatever answers a request."""

    async def send(self, request: Request) -> Exchange:
        """Answer one request."""


async def answers_differ(request: Request, faulty: Sends, without: Sends) -> bool:
    """Return whether a server with a fault answers a request otherwise than one without it."""
    found = [_answer(await faulty.send(request)) for _ in range(2)]
    right = [_answer(await without.send(request)) for _ in range(2)]
    # Two samples of one token are often equal by chance.
    greedy = GREEDY.search(request.body) is not None
    return shows_deviation(found, right) if greedy else differ_in_form(found, right)


def _answer(exchange: Exchange) -> Answer:
    headers = tuple((name.lower(), value) for name, value in exchange.headers)
    return Answer(exchange.status, headers, exchange.body, exchange.fault is None)


@asynccontextmanager
async def _asking(server: BundledServer, path: str, contract: Contract) -> AsyncIterator[Client]:
    async with Client(_target(server, path, contract), may_retry=lambda: False) as client:
        yield client


def _target(server: BundledServer, path: str, contract: Contract) -> Target:
    parts = urlsplit(server.base_url)
    base_url = f"{parts.scheme}://{parts.netloc}/{path}/v1"
    return Target(base_url, server.model, contract.name, server.api_key)
