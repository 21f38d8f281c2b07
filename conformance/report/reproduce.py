"""How a finding is reproduced: which requests show it, and the suite's own command.

The probe comes first, then its control. Where requests alone do not show it, such
as a deviation in time or in one of many responses, the suite's command does.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from conformance.language import Language, Text
from conformance.model import Exchange, Finding, Header, Role, Verdict
from conformance.report.curl import curl, safe_name
from conformance.report.sanitize import line


@dataclass(frozen=True, slots=True)
class Decisive:
    """The exchanges of a finding that show it.

    Attributes:
        probe: deviates.
        control: what the probe is compared with, or None.
        times: how often the probe's request was sent.
        needs_suite: whether the check says that sending them again does not show the finding.
        needs_run: whether other requests may decide, those before or beside.
    """

    probe: Exchange
    control: Exchange | None = None
    times: int = 1
    needs_suite: bool = False
    needs_run: bool = False

    @property
    def needs_whole_run(self) -> bool:
        """Whether the checks of the finding alone may not show it, without those before."""
        return self.needs_run or self._is_of_load

    @property
    def caution(self) -> Text | None:
        """What is said because sending them again may not show the finding; None if it does."""
        if self.needs_suite or self._is_of_load:
            return NEEDS_SUITE
        return NEEDS_RUN if self.needs_run else None

    @property
    def _is_of_load(self) -> bool:
        """Whether the next attempt fared otherwise, as under the load of a whole run."""
        return len({attempt.status for attempt in self.probe.attempts}) > 1


def decisive(finding: Finding, exchanges: Sequence[Exchange]) -> Decisive | None:
    """Choose the exchanges that show a finding; None if there are none.

    In a record without roles, the last one with the parameter in question is most likely the probe.

    Args:
        finding: the finding.
        exchanges: its exchanges, in its order.
    """
    if not exchanges:
        return None
    probe = _first(exchanges, finding, Role.PROBE)
    control = _first(exchanges, finding, Role.CONTROL)
    if probe is None:
        sending = [one for one in exchanges if _sends(one, finding.subject)]
        probe, control, times = (sending or exchanges)[-1], None, 1
    else:
        times = sum(one.request == probe.request for one in exchanges)
    return Decisive(probe, control, times, finding.needs_suite, finding.needs_run)


def depends_on_others(finding: Finding, findings: Iterable[Finding]) -> bool:
    """Return whether another finding of the run is that responses depend on other requests.

    That is also one that some responses have the id of another, as if they came from a cache.
    """
    return any(
        other.id != finding.id
        and other.verdict in {Verdict.FAIL, Verdict.WARN}
        and (
            any(fnmatchcase(other.requirement, glob) for glob in ON_OTHERS)
            or (other.requirement == ID_UNIQUE and other.needs_run)
        )
        for other in findings
    )


def commands(shown: Decisive, header: Header, key_env: str | None) -> tuple[str, ...]:
    """Return the curl command of the probe, and that of the control if there is one.

    Empty if the probe's body is too long for a command.
    """
    made = [
        curl(exchange.request, header.base_url, key_env, header.headers)
        for exchange in (shown.probe, shown.control)
        if exchange is not None
    ]
    return () if made[0] is None else tuple(command for command in made if command is not None)


def with_comments(made: Sequence[str], shown: Decisive, language: Language) -> str:
    """Join commands into one text for a shell; more than one gets comments that tell them apart."""
    told = [_SENT.format(times=shown.times)] if shown.times > 1 else []
    if shown.caution:
        told.append(shown.caution)
    if len(made) == 1:
        return "\n".join((*(f"# {text.of(language)}" for text in told), *made))
    probe = " · ".join(text.of(language) for text in (_PROBE, *told))
    return f"# {probe}\n{made[0]}\n\n# {_CONTROL.of(language)}\n{made[1]}"


def suite_command(
    finding: Finding, header: Header, key_env: str | None, *, whole: bool = False
) -> str:
    """Return the command that makes the suite find it again.

    Args:
        finding: the finding.
        header: of the run; a target of a file is named, because only the file has its options.
        key_env: the environment variable that holds the key, or None if no key was sent.
        whole: whether to run everything that the run has run, not only the checks of the finding.
    """
    words = ["conformance", "run"]
    if header.target is not None:
        words += ["--target", header.target]
    else:
        words += ["--base-url", header.base_url, "--model", header.model]
        words += ["--contract", header.contract_file or header.contract]
        if key_env is not None:
            words += ["--api-key-env", safe_name(key_env)]
    for glob in header.select if whole else dict.fromkeys((finding.id, *finding.rests_on)):
        words += ["--select", glob]
    words += ["--tier", header.tier.value]
    if header.seed:
        words += ["--seed", str(header.seed)]
    return " ".join(shlex.quote(line(word)) for word in words)


def _first(exchanges: Sequence[Exchange], finding: Finding, role: Role) -> Exchange | None:
    known = {one.id: one for one in exchanges}
    return next((known[k] for k, own in finding.roles.items() if own is role and k in known), None)


def _sends(exchange: Exchange, parameter: str) -> bool:
    try:
        body = json.loads(exchange.request.body)
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and parameter in body


SUITE = Text("the suite's own command", "测试套件自身的命令")
"""Comment of the suite's command."""

NEEDS_SUITE = Text(
    "this request alone does not show it; the suite's own command does",
    "仅重发该请求不足以复现，请使用测试套件自身的命令",
)
"""What is said where sending the requests again does not show a finding."""

NEEDS_RUN = Text(
    "this request alone may not show it, as it may depend on others, which a whole run sends",
    "仅重发该请求未必能复现，因为结果可能取决于其他请求，完整运行会发送这些请求",
)
"""What is said where requests before or beside may decide whether a finding shows."""

ID_UNIQUE = "envelope.id-unique"
ON_OTHERS = ("isolation.*", "errors.served-stays-served")
"""Requirements without which any response may depend on other requests."""

_PROBE = Text("probe: the request that the finding is about", "偏差请求：该发现所涉及的请求")
_CONTROL = Text("control: the request that it is compared with", "对照请求：与之比较的请求")
_SENT = Text("sent {times} times", "共发送 {times} 次")
