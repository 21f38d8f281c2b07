"""One target of ``conformance.toml``, with secrets from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from conformance.contract import Contract
from conformance.engine.selection import LIVE, Options
from conformance.language import Text
from conformance.model import DEFAULT_KEY_ENV, BalanceSource, Prices, Target
from conformance.targets.address import located
from conformance.targets.parsing import (
    MOST_KEY_CHARS,
    LongKeyError,
    TypedError,
    read_base_url,
    read_key,
)


class MissingSecretError(Exception):
    """A secret is not in the environment; ``reason`` names the variable, in both languages."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.en)
        self.reason = reason


NOT_SET = Text(
    "Environment variable {name} is not set or is empty.", "环境变量 {name} 未设置或为空。"
)
NO_KEY = Text(
    "The value of {name} is not a valid key: it contains blanks or special characters.",
    "{name} 的值不是有效的密钥：其中含有空白或特殊字符。",
)
LONG_KEY = Text(
    "The value of {name} is not a valid key: it has more than {most} characters.",
    "{name} 的值不是有效的密钥：超过 {most} 个字符。",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A target as configured, with the environment variables that hold its secrets.

    Attributes:
        name: the name of the target and of its output folder.
        base_url: up to, but without, ``/completions``.
        model: the model to request.
        contract: the name of a document, or the path of an overlay.
        api_key_env: the environment variable that holds the key; None if no key is needed.
        prices: what a million tokens cost; None if the file does not say.
        tokenizer: the name of the model's tokenizer, and the folder that a path is relative to;
            None if the file names none.
        balance: where the balance of the account is told, as the file has it; None if nowhere.
        path: the endpoint's path on the host, which replaces that of the base URL; None keeps it.
        headers: headers of every request, without secrets.
        headers_env: further headers, each with the environment variable that holds its value.
        options: the options of the run.
        expected: the file of its expected deviations; None if it has none.
        watch: what the file says of watching it, by key; None if it is not watched.
    """

    name: str
    base_url: str
    model: str
    contract: str = LIVE
    api_key_env: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    headers_env: Mapping[str, str] = field(default_factory=dict)
    options: Options = field(default_factory=Options)
    expected: Path | None = None
    path: str | None = None
    prices: Prices | None = None
    tokenizer: tuple[str, Path] | None = None
    balance: Mapping[str, Any] | None = None
    watch: Mapping[str, Any] | None = field(default_factory=dict)

    def target(self, contract: Contract, environment: Mapping[str, str]) -> Target:
        """Return the target with its secrets.

        Args:
            contract: the contract under test.
            environment: the environment variables.

        Raises:
            MissingSecretError: a variable is not set, or its value is not valid in a header.
        """
        key = _secret(self.api_key_env, environment) if self.api_key_env else None
        where = located(read_base_url(self.base_url), self.path, contract)
        target = Target(
            base_url=where.url,
            model=self.model,
            contract=contract.name,
            api_key=key,
            api_key_env=self.api_key_env or DEFAULT_KEY_ENV,
            name=self.name,
            prices=self.prices,
        )
        target = with_headers(target, self.headers, self.headers_env, environment)
        return with_balance(target, self.balance, environment)


def with_balance(
    target: Target, stated: Mapping[str, Any] | None, environment: Mapping[str, str]
) -> Target:
    """Return the target with the place of its balance, whose own key is a secret, too.

    Raises:
        MissingSecretError: the variable of that key is not set, or holds no key.
    """
    if stated is None:
        return target
    key = _secret(stated["api-key-env"], environment) if "api-key-env" in stated else None
    source = BalanceSource(
        stated["path"], stated["pointer"], stated["unit"], stated.get("rises", False), key
    )
    secrets = (*target.secrets, key) if key else target.secrets
    return replace(target, balance=source, secrets=secrets)


def with_headers(
    target: Target,
    headers: Mapping[str, str],
    headers_env: Mapping[str, str],
    environment: Mapping[str, str],
) -> Target:
    """Return the target with headers that go with every request.

    Args:
        target: the target without headers.
        headers: headers without secrets.
        headers_env: further headers, each with the environment variable that holds its value.
        environment: the environment variables.

    Raises:
        MissingSecretError: a variable is not set, or its value is not valid in a header.
    """
    secrets = {name: _secret(variable, environment) for name, variable in headers_env.items()}
    return replace(
        target,
        headers=(*headers.items(), *secrets.items()),
        secrets=tuple(secrets.values()),
        shown_headers={**headers, **{name: f"${held}" for name, held in headers_env.items()}},
    )


def _secret(variable: str, environment: Mapping[str, str]) -> str:
    try:
        value = read_key(variable, environment)
    except LongKeyError:
        raise MissingSecretError(LONG_KEY.format(name=variable, most=f"{MOST_KEY_CHARS}")) from None
    except TypedError:
        raise MissingSecretError(NO_KEY.format(name=variable)) from None
    if not value:
        raise MissingSecretError(NOT_SET.format(name=variable))
    return value
