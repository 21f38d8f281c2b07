"""One target as ``conformance.toml`` describes it, and what the environment makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.engine.selection import LIVE, Options
from conformance.language import Text
from conformance.model import DEFAULT_KEY_ENV, Target
from conformance.targets.parsing import TypedError, read_key


class MissingSecretError(Exception):
    """The environment lacks a secret of one target; ``told`` names the variable in a sentence."""

    def __init__(self, result: Text) -> None:
        super().__init__(result.en)
        self.reason = result


NOT_SET = Text(
    "Environment variable {name} is not set or is empty.", "环境变量 {name} 未设置或为空。"
)
NO_KEY = Text(
    "The value of {name} is not a valid key: it contains blanks or special characters.",
    "{name} 的值不是有效的密钥：其中含有空白或特殊字符。",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be judged, how, and in which variables its secrets are kept.

    Attributes:
        name: what its owner calls it, and the name of its folder.
        base_url: up to and without ``/completions``.
        model: the model to ask for.
        contract: a document's short name, or the path of an overlay.
        api_key_env: the variable that holds the key; None where the endpoint wants none.
        headers: headers to send with every request, for everybody to see.
        headers_env: further headers, each with the variable that holds its secret value.
        options: how much to judge, and at what price and pace.
    """

    name: str
    base_url: str
    model: str
    contract: str = LIVE
    api_key_env: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    headers_env: Mapping[str, str] = field(default_factory=dict)
    options: Options = field(default_factory=Options)

    def target(self, contract: str, environment: Mapping[str, str]) -> Target:
        """Put the secrets in their places.

        Args:
            contract: the name of the contract that the target is held to.
            environment: where the variables are looked up.

        Raises:
            MissingSecretError: a variable is not set, or holds what no header can carry.
        """
        key = _secret(self.api_key_env, environment) if self.api_key_env else None
        secrets = {
            header: _secret(variable, environment) for header, variable in self.headers_env.items()
        }
        return Target(
            base_url=self.base_url,
            model=self.model,
            contract=contract,
            api_key=key,
            api_key_env=self.api_key_env or DEFAULT_KEY_ENV,
            name=self.name,
            headers=(*self.headers.items(), *secrets.items()),
            secrets=tuple(secrets.values()),
            shown_headers={
                **self.headers,
                **{header: f"${variable}" for header, variable in self.headers_env.items()},
            },
        )


def _secret(variable: str, environment: Mapping[str, str]) -> str:
    try:
        value = read_key(variable, environment)
    except TypedError:
        raise MissingSecretError(NO_KEY.format(name=variable)) from None
    if not value:
        raise MissingSecretError(NOT_SET.format(name=variable))
    return value
