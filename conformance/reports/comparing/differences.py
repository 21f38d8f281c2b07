"""All that differs between two runs, worked out once for whoever tells it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from conformance.language import Text, joined, same
from conformance.model import Conclusion, ExitCode, Header, Run
from conformance.reports.comparing.changes import (
    Change,
    Changed,
    Turned,
    changes_between,
    compared,
    turned_between,
    unchanged,
)
from conformance.reports.comparing.figures import Figures, figures_of
from conformance.reports.words import CHECK, HEADLINES, counted


@dataclass(frozen=True, slots=True)
class Places:
    """Where the two runs' own pages are, as links from the comparison; None where there is none."""

    old: str | None = None
    new: str | None = None


def compare(old: Run, new: Run) -> Differences:
    """Put two runs side by side; checks are told by their ids, whatever version they are of."""
    return Differences(old, new)


@dataclass(frozen=True)
class Differences:
    """Two runs, and what differs between them."""

    old: Run
    new: Run

    @cached_property
    def changes(self) -> tuple[Changed, ...]:
        """The checks that are worth telling, what matters most first."""
        return changes_between(self.old, self.new)

    def of(self, change: Change) -> tuple[Changed, ...]:
        """The checks that changed in one way."""
        return tuple(one for one in self.changes if one.change is change)

    @cached_property
    def turned(self) -> tuple[Turned, ...]:
        """The parameters and fields whose state changed."""
        return turned_between(self.old, self.new)

    @cached_property
    def figures(self) -> tuple[Figures, Figures]:
        """Cost and latency of both runs."""
        return figures_of(self.old, self.new)

    @property
    def unchanged(self) -> int:
        """How many checks both runs judged with the same verdict."""
        return unchanged(self.old, self.new)

    @property
    def compared(self) -> int:
        """How many checks both runs judged."""
        return compared(self.old, self.new)

    @property
    def exit_code(self) -> ExitCode:
        """Say how a program is to end that asks whether something got worse.

        1 where something broke. Otherwise 5 where no check was judged in both runs, 3 where the
        newer run is unsure of something that the older was sure of, or did not come to its end, and
        0 where neither is so.
        """
        if self.of(Change.BROKE):
            return ExitCode.NOT_CONFORMING
        if not self.compared and not self.of(Change.UNSURE):
            return ExitCode.NOTHING_RAN
        cut_short = self.new.conclusion is Conclusion.BROKEN_OFF
        return ExitCode.UNDECIDED if cut_short or self.of(Change.UNSURE) else ExitCode.CONFORMING

    @property
    def headline(self) -> Text:
        """The outcome in a word or two."""
        return _HEADLINES[self.exit_code]

    @cached_property
    def sentence(self) -> Text:
        """What changed, in plain words."""
        if not self.compared and not self.of(Change.UNSURE):
            return Text(
                "No check was judged in both runs, so there is nothing to compare.",
                "没有任何检查在两次运行中都得出判定，因此无从比较。",
            )
        told = [
            _COUNTED[change].format(count=counted(len(self.of(change)), CHECK))
            for change in (Change.BROKE, Change.UNSURE, Change.MENDED)
            if self.of(change)
        ]
        told = told or [Text("No verdict got worse or better", "没有结论变差或变好")]
        rest = Text(
            "; {same} of the {all} that both runs judged kept their verdicts.",
            "；两次运行都判定的 {all}中，{same} 项结论未变。",
        ).format(same=f"{self.unchanged:,}", all=counted(self.compared, CHECK))
        return joined([joined(told, Text("; ", "；")), rest], same(""))

    @cached_property
    def notices(self) -> tuple[Text, ...]:
        """What a reader has to know before believing a difference."""
        return tuple(_notices(self.old, self.new))


_HEADLINES = {
    ExitCode.NOT_CONFORMING: Text("Got worse", "变差"),
    ExitCode.UNDECIDED: Text("Became unsure", "无法确定"),
    ExitCode.NOTHING_RAN: Text("Nothing to compare", "无从比较"),
    ExitCode.CONFORMING: Text("Nothing got worse", "没有变差"),
}

_COUNTED = {
    Change.BROKE: Text("{count} got worse", "{count}变差"),
    Change.UNSURE: Text("{count} became unsure", "{count}变得无法判定"),
    Change.MENDED: Text("{count} got better", "{count}好转"),
}


_NAMED: tuple[tuple[Text, Callable[[Header], str]], ...] = (
    (Text("endpoint", "接口"), lambda header: header.base_url),
    (Text("model", "模型"), lambda header: header.model),
    (Text("contract", "契约"), lambda header: header.contract),
    (Text("tier", "级别"), lambda header: header.tier.value),
    (Text("selection of checks", "所选检查"), lambda header: " ".join(header.select) or "*"),
    (Text("suite version", "套件版本"), lambda header: header.suite_version),
)


def _notices(old: Run, new: Run) -> Iterator[Text]:
    for run, which in ((old, Text("older", "较早的")), (new, Text("newer", "较新的"))):
        if run.conclusion is Conclusion.BROKEN_OFF:
            yield Text(
                "The {which} run broke off; only what it had judged by then is compared.",
                "{which}运行中断；只比较中断前已判定的检查。",
            ).format(which=which)
        elif run.footer and run.footer.because:
            yield Text(
                "The {which} run could not judge its endpoint: {headline}.",
                "{which}运行未能判定其接口：{headline}。",
            ).format(which=which, headline=HEADLINES[run.conclusion])
    for what, name in _NAMED:
        was, now = name(old.header), name(new.header)
        if was != now:
            yield Text(
                "The {what} is another one: `{was}`, now `{now}`.",
                "{what}不同：原为 `{was}`，现为 `{now}`。",
            ).format(what=what, was=was.replace("`", "'"), now=now.replace("`", "'"))
    if old.header.suite_version != new.header.suite_version:
        yield Text(
            "Checks are matched by their ids; what one of that name judges may have changed.",
            "检查按编号对应；同名检查所判定的内容可能已有变化。",
        )
