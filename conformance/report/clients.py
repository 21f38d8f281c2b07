"""What a run shows of clients, in words that all reports share.

It is no part of the verdict. A run that was for some clients shows these alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from conformance.language import Text
from conformance.model import ClientReadiness, NeedResult, NeedState, Readiness, Run
from conformance.report.locale.finding_text import finding_text

READINESS: Mapping[Readiness, Text] = {
    Readiness.NOT_READY: Text("not ready", "不可用"),
    Readiness.READY: Text("ready", "可用"),
    Readiness.NOT_TESTED: Text("not tested", "未测试"),
}
"""The words, in the order in which reports show them."""

NEEDS: Mapping[NeedState, Text] = {
    NeedState.UNMET: Text("unmet", "未满足"),
    NeedState.MET: Text("met", "满足"),
    NeedState.NOT_TESTED: Text("not tested", "未测试"),
}

CLIENTS = Text("Clients", "客户端")
"""The title of the block."""

NOTE = Text(
    "Whether a client works is not part of the verdict: an endpoint may conform and reject what a "
    "client needs.",
    "客户端能否使用不属于判定：接口可以符合契约，同时拒绝某个客户端所需的功能。",
)


def clients_of(run: Run) -> tuple[ClientReadiness, ...]:
    """Return the clients that reports show: those that the run was for, or all.

    A run that was for none and shows nothing of any, such as one that ended at once, has none.
    """
    known = run.footer.readiness if run.footer else ()
    asked = run.header.profiles
    shown = [client for client in known if not asked or client.profile in asked]
    if not asked and all(client.readiness is Readiness.NOT_TESTED for client in shown):
        return ()
    order = list(READINESS)
    return tuple(sorted(shown, key=lambda client: order.index(client.readiness)))


def by_readiness(
    clients: Iterable[ClientReadiness],
) -> Mapping[Readiness, tuple[ClientReadiness, ...]]:
    """Group clients by what the run shows of them, in the order of :data:`READINESS`."""
    whole = tuple(clients)
    return {
        state: alike
        for state in READINESS
        if (alike := tuple(client for client in whole if client.readiness is state))
    }


def telling(client: ClientReadiness) -> NeedResult | None:
    """Return the need that decides: the first unmet or, without one, the first not tested."""
    for state in (NeedState.UNMET, NeedState.NOT_TESTED):
        found = client.in_state(state)
        if found:
            return found[0]
    return None


def why_of(need: NeedResult) -> Text:
    """Return what shows a need unmet, or why it was not tested."""
    return finding_text(need.why)


def sentence_of(need: NeedResult) -> Text:
    """Return the need itself."""
    return Text(need.says, need.says_zh)


def without(need: NeedResult) -> Text:
    """Return what the client does where the need is unmet."""
    return Text(need.without, need.without_zh)


def evidence_of(need: NeedResult) -> tuple[str, ...]:
    """Return the ids of the findings and exchanges that show the need's state."""
    return (*need.findings, *need.exchanges)


def hint_for(clients: Iterable[ClientReadiness]) -> Text | None:
    """Say how to test clients that a run was not about; None if all were tested."""
    names = [c.profile for c in clients if c.readiness is Readiness.NOT_TESTED]
    return _HINT.format(name=names[0]) if names else None


_HINT = Text(
    "`conformance run --profile {name}` tests one",
    "`conformance run --profile {name}` 可测试其中一个",
)
