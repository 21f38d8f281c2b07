"""Validate the plugin's options from the command line and pytest's configuration file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from conformance.contract import Contract, ContractError, load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.selection import LIVE, Options, matches
from conformance.expectations.reading import ExpectedFileError, read_expected
from conformance.input_files import is_file, is_folder
from conformance.model import ExpectedFile, Limits, Stage, Target, TransportOptions
from conformance.profiles import Profile, ProfileError
from conformance.pytest_plugin import SETTINGS, Setting, given
from conformance.targets import Entry, MissingSecretError
from conformance.targets.address import located, read_path
from conformance.targets.clients import for_profiles, read_profiles
from conformance.targets.keys import default_key_env, why_not_sent
from conformance.targets.parsing import TypedError, read_base_url
from conformance.targets.settings import (
    above_zero,
    model,
    plain_headers,
    secret_headers,
    text,
    tier,
    typed_balance,
    typed_prices,
    variable,
    whole,
)
from conformance.tokenizer import Tokenizer, TokenizerError, load_tokenizer
from conformance.transport.exposure import exposure_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settings:
    """The validated settings of a session.

    ``out`` is the folder for record and reports, or None. ``notes`` are messages for the session's
    header.
    """

    target: Target
    contract: Contract
    options: Options
    out: Path | None
    notes: tuple[str, ...]


def read_settings(
    config: pytest.Config, environment: Mapping[str, str], *, begins: bool = True
) -> Settings:
    """Validate a session's settings.

    Args:
        config: pytest's configuration.
        environment: the environment variables, which hold the secrets.
        begins: whether this process starts the session, so that the output folder must be empty.

    Raises:
        pytest.UsageError: a setting is invalid.
    """
    typed = {setting.name: _Typed(setting, given(config, setting)) for setting in SETTINGS}
    contract = _contract(typed["contract"].read(text, LIVE))
    path = typed["path"].read(read_path, None)
    where = located(typed["base-url"].needed(read_base_url), path, contract)
    notes = [f"{typed['base-url'].setting.option} {where.corrected}"] if where.corrected else []
    key_env = typed["api-key-env"].read(variable, None)
    if key_env is None:
        usual = default_key_env(where.url)
        key_env = usual if usual and environment.get(usual, "").strip() else None
        unsent = why_not_sent(where.url, environment, typed["api-key-env"].setting.option)
        notes += [unsent] if unsent else []
    entry = Entry(
        name="",
        base_url=where.url,
        model=typed["model"].needed(model),
        api_key_env=key_env,
        headers=typed["header"].read_headers(plain_headers),
        headers_env=typed["header-env"].read_headers(secret_headers),
        path=path,
        prices=typed["prices"].read(typed_prices, None),
        balance=typed["balance"].read(typed_balance, None),
    )
    try:
        target = entry.target(contract, environment)
    except MissingSecretError as error:
        raise pytest.UsageError(f"conformance: {error}") from None
    if target.api_key:
        notes.append(f"sending the API key in ${key_env} to {where.host}")
    if target.balance:
        notes.append(f"reading the balance at {target.balance.path} on {where.host}")
    if exposed := exposure_of(target):
        notes.append(exposed)
    out = typed["out"].read(Path, None)
    if out is not None and begins:
        _assert_unused(out)
    return Settings(
        # Only targets of conformance.toml have a name.
        target=replace(target, name=None),
        contract=contract,
        options=_of_files(config, typed, _options(typed)),
        out=out.absolute() if out is not None else None,
        notes=tuple(notes),
    )


def _of_files(config: pytest.Config, typed: Mapping[str, _Typed], options: Options) -> Options:
    """Add what is read from files: expected deviations, the tokenizer and clients."""
    profiles = _profiles(config, typed["profile"])
    if profiles and options.select:
        raise pytest.UsageError(
            "--conformance-profile and --conformance-select cannot be combined: a profile selects "
            "what its client needs"
        )
    options = replace(
        options,
        expected=_expected(config, typed["expected"]),
        tokenizer=_tokenizer(config, typed["tokenizer"]),
    )
    return for_profiles(options, profiles)


def _options(typed: Mapping[str, _Typed]) -> Options:
    defaults = Options()
    return Options(
        tier=typed["tier"].read(tier, defaults.tier),
        select=typed["select"].values,
        exclude=_excluded(typed["exclude"]),
        stage=typed["stage"].read(_stage, defaults.stage),
        limits=Limits(
            requests=typed["max-requests"].read(_number(int, whole(1)), None),
            tokens=typed["max-spend-tokens"].read(_number(int, whole(1)), None),
        ),
        transport=TransportOptions(
            rate=typed["rate"].read(_number(float, above_zero), None),
            timeout=typed["timeout"].read(_number(float, above_zero), defaults.transport.timeout),
        ).at_most(typed["concurrency"].read(_number(int, whole(1, 1000)), None)),
        seed=typed["seed"].read(_number(int, whole()), defaults.seed),
        strict=typed["strict"].value is not None,
    )


@dataclass(frozen=True, slots=True)
class _Typed:
    """One setting and its value from the command line or the file."""

    setting: Setting
    given: str | list[str] | None

    @property
    def value(self) -> str | None:
        """The value of a setting that does not repeat, or None."""
        return None if isinstance(self.given, list) else self.given

    @property
    def values(self) -> tuple[str, ...]:
        """The values of a setting that repeats."""
        return tuple(self.given) if isinstance(self.given, list) else ()

    def read(self, take: Callable[[str], T], otherwise: T) -> T:
        """Return the validated value, or ``otherwise`` if none was given."""
        return otherwise if self.value is None else self.needed(take)

    def needed(self, take: Callable[[str], T]) -> T:
        """Return the validated value of a required setting."""
        if self.value is None:
            raise pytest.UsageError(
                f"{self.setting.option} is required with --conformance-base-url"
            )
        return self._described(take, self.value)

    def read_headers(
        self, take: Callable[[dict[str, str]], Mapping[str, str]]
    ) -> Mapping[str, str]:
        """Return validated headers, each given as ``NAME: VALUE``."""
        pairs = [line.partition(":") for line in self.values]
        if not all(colon for _, colon, _ in pairs):
            # The value is not shown, because it may be a secret.
            raise pytest.UsageError(
                f"{self.setting.option} must have the form {self.setting.metavar}"
            )
        names = [name.strip() for name, _, _ in pairs]
        if len(set(names)) < len(names):
            raise pytest.UsageError(f"{self.setting.option} has a duplicate header")
        values = (value.strip() for _, _, value in pairs)
        return self._described(take, dict(zip(names, values, strict=True)))

    def _described(self, take: Callable[[Any], T], value: object) -> T:
        try:
            return take(value)
        except TypedError as error:
            raise pytest.UsageError(f"{self.setting.option} {error}") from None


def _number(kind: Callable[[str], object], take: Callable[[Any], T]) -> Callable[[str], T]:
    """Combine parsing and validation; ``take`` also rejects text that is not a number."""

    def read(typed: str) -> T:
        try:
            number = kind(typed)
        except ValueError:
            number = typed
        return take(number)

    return read


def _stage(typed: str) -> Stage | None:
    if typed not in list(Stage):
        raise TypedError(f"must be one of {', '.join(stage.value for stage in Stage)}")
    return Stage(typed)


def _excluded(typed: _Typed) -> tuple[str, ...]:
    """Check that each glob leaves out a check, so that a slip is noticed."""
    contract = load_contract(LIVE)
    for glob in typed.values:
        if not any(matches(check, contract, [glob]) for check in all_checks()):
            raise pytest.UsageError(f"{typed.setting.option} {glob} matches no check")
    return typed.values


def _expected(config: pytest.Config, typed: _Typed) -> ExpectedFile | None:
    """Read the expected deviations; a path in pytest's configuration is relative to its folder."""
    if typed.value is None:
        return None
    path = _folder(config, typed) / typed.value
    try:
        return read_expected(path, all_checks())
    except ExpectedFileError as error:
        raise pytest.UsageError(f"{typed.setting.option}: {'; '.join(error.mistakes)}") from None


def _tokenizer(config: pytest.Config, typed: _Typed) -> Tokenizer | None:
    if typed.value is None:
        return None
    try:
        return load_tokenizer(typed.value, _folder(config, typed))
    except TokenizerError as error:
        raise pytest.UsageError(f"{typed.setting.option}: {error}") from None


def _profiles(config: pytest.Config, typed: _Typed) -> tuple[Profile, ...]:
    try:
        return read_profiles(typed.values, _folder(config, typed))
    except ProfileError as error:
        raise pytest.UsageError(f"{typed.setting.option}: {error}") from None


def _folder(config: pytest.Config, typed: _Typed) -> Path:
    """Return what a path is relative to: in pytest's configuration, the folder of that."""
    return Path() if config.getoption(typed.setting.key) else config.rootpath


def _contract(name_or_path: str) -> Contract:
    try:
        return load_contract(name_or_path)
    except ContractError as error:
        raise pytest.UsageError(f"--conformance-contract: {error}") from None


def _assert_unused(folder: Path) -> None:
    """Check that the folder is new or empty, so that no other run is overwritten."""
    try:
        is_used = is_folder(folder) and any(folder.iterdir())
    except OSError as error:
        raise pytest.UsageError(
            f"--conformance-out: cannot read the folder {folder} ({error.strerror})"
        ) from None
    if is_used:
        raise pytest.UsageError(
            f"--conformance-out: the folder {folder} is not empty; choose a new or empty one"
        )
    if is_file(folder):
        raise pytest.UsageError(f"--conformance-out: {folder} is not a folder")
