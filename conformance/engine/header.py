"""The header of a run: what is tested, by which contract, and how."""

from __future__ import annotations

from datetime import UTC, datetime

from conformance import __version__
from conformance.contract import Contract
from conformance.contract.digest import digest_of
from conformance.engine.discovery import all_checks
from conformance.engine.expectations import resolved
from conformance.engine.selection import Options
from conformance.model import ExpectedFile, Header, Target
from conformance.record.line import FORMAT
from conformance.transport import gate
from conformance.transport.address import without_login
from conformance.transport.redact import Redactor


def header_of(target: Target, contract: Contract, options: Options) -> Header:
    """Return the header of a run that starts now."""
    redactor = Redactor.of(target, gate.known())
    expected = options.expected and resolved(options.expected, all_checks(), contract)
    return Header(
        format=FORMAT,
        suite_version=__version__,
        started_at=now(),
        base_url=redactor.text(without_login(target.base_url)),
        model=redactor.text(target.model),
        api_key_env=target.api_key_env if target.api_key else None,
        contract=contract.name,
        contract_file=redactor.text(contract.file) if contract.file else None,
        contract_title=contract.title,
        contract_title_zh=contract.title_zh,
        document=contract.document,
        tier=options.tier,
        select=tuple(map(redactor.text, options.select)),
        strict=options.strict,
        seed=options.seed,
        limits=options.ceiling,
        subjects=contract.subjects,
        requirements=tuple(contract.requirements.values()),
        target=target.name,
        headers=target.shown_headers,
        stage=options.stage,
        exclude=tuple(map(redactor.text, options.exclude)),
        expected=expected and _redacted(expected, redactor),
        contract_digest=digest_of(contract),
        region=options.region and redactor.text(options.region),
        label=options.label and redactor.text(options.label),
        profiles=tuple(profile.name for profile in options.profiles),
        prices=target.prices,
        objectives=options.objectives,
        tokenizer=redactor.text(options.tokenizer.name) if options.tokenizer else None,
    )


def _redacted(file: ExpectedFile, redactor: Redactor) -> ExpectedFile:
    """Redact what a file says in its own words."""
    entries = tuple(redactor.record(entry) for entry in file.entries)
    return ExpectedFile(redactor.text(file.name), entries)


def now() -> str:
    """Return the time as ISO 8601, in UTC and whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")
