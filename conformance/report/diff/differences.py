"""The differences between two runs, shared by all output formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from conformance.language import Text, join_texts, same
from conformance.model import Conclusion, ExitCode, Header, Run
from conformance.report.diff.changes import (
    Change,
    Changed,
    Turned,
    changes_between,
    compared,
    turned_between,
    unchanged,
)
from conformance.report.diff.figures import Figures, figures_of
from conformance.report.locale.terms import CHECK, HEADLINES, counted


@dataclass(frozen=True, slots=True)
class Places:
    """Links from the comparison to both runs' HTML reports; None if a report is missing."""

    old: str | None = None
    new: str | None = None


def compare(old: Run, new: Run) -> Differences:
    """Compare two runs; checks are matched by id, even across versions."""
    return Differences(old, new)


@dataclass(frozen=True)
class Differences:
    """Two runs and the differences between them."""

    old: Run
    new: Run

    @cached_property
    def changes(self) -> tuple[Changed, ...]:
        """The checks that changed or still fail, the most important first."""
        return changes_between(self.old, self.new)

    def of(self, change: Change) -> tuple[Changed, ...]:
        """The checks with one kind of change."""
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
        """Number of checks with the same verdict in both runs."""
        return unchanged(self.old, self.new)

    @property
    def compared(self) -> int:
        """Number of checks with a verdict in both runs."""
        return compared(self.old, self.new)

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of ``conformance compare``.

        1 for regressions, among them checks that were skipped and fail now. Otherwise 5 if no check
        has a verdict in both runs, 3 if a check became inconclusive or the newer run is incomplete,
        and 0 if neither is the case.
        """
        if self.of(Change.BROKE):
            return ExitCode.NOT_CONFORMING
        if self._is_nothing_comparable:
            return ExitCode.NOTHING_RAN
        cut_short = self.new.conclusion is Conclusion.INCOMPLETE
        return ExitCode.UNDECIDED if cut_short or self.of(Change.UNSURE) else ExitCode.CONFORMING

    @property
    def _is_nothing_comparable(self) -> bool:
        news = self.of(Change.BROKE) or self.of(Change.UNSURE)
        return not self.compared and not news

    @property
    def headline(self) -> Text:
        """The result in a word or two."""
        return _HEADLINES[self.exit_code]

    @cached_property
    def sentence(self) -> Text:
        """The number of changed and unchanged verdicts."""
        if self._is_nothing_comparable:
            return Text(
                "No check has a verdict in both runs, so there is nothing to compare.",
                "没有检查在两次运行中都得出判定，因此无法比较。",
            )
        result = [
            _COUNTED[change].format(count=counted(len(self.of(change)), CHECK))
            for change in (Change.BROKE, Change.UNSURE, Change.FIXED)
            if self.of(change)
        ]
        result = result or [Text("No verdict changed", "判定均无变化")]
        rest = Text(
            "; {same} of {all} in both runs unchanged.",
            "；两次运行都得出判定的 {all}中，{same} 项判定未变。",
        ).format(same=f"{self.unchanged:,}", all=counted(self.compared, CHECK))
        return join_texts([join_texts(result, Text("; ", "；")), rest], same(""))

    @cached_property
    def notices(self) -> tuple[Text, ...]:
        """Caveats: incomplete runs and different settings."""
        return tuple(_notices(self.old, self.new))


_HEADLINES = {
    ExitCode.NOT_CONFORMING: Text("Regressions", "退化"),
    ExitCode.UNDECIDED: Text("Now inconclusive", "无法判定"),
    ExitCode.NOTHING_RAN: Text("Nothing to compare", "无法比较"),
    ExitCode.CONFORMING: Text("No regressions", "无退化"),
}

_COUNTED = {
    Change.BROKE: Text("{count} regressed", "{count}退化"),
    Change.UNSURE: Text("{count} now inconclusive", "{count}变为无法判定"),
    Change.FIXED: Text("{count} fixed", "{count}已修复"),
}


_NAMED: tuple[tuple[Text, Callable[[Header], str]], ...] = (
    (Text("endpoint", "接口"), lambda header: header.base_url),
    (Text("model", "模型"), lambda header: header.model),
    (Text("contract", "契约"), lambda header: header.contract),
    (Text("tier", "档位"), lambda header: header.tier.value),
    (Text("selection of checks", "所选检查"), lambda header: " ".join(header.select) or "*"),
    (Text("checks left out", "排除的检查"), lambda header: " ".join(header.exclude) or "-"),
    (Text("suite version", "套件版本"), lambda header: header.suite_version),
)


def _notices(old: Run, new: Run) -> Iterator[Text]:
    for run, which in ((old, Text("older", "较早的")), (new, Text("newer", "较新的"))):
        if run.conclusion is Conclusion.INCOMPLETE:
            yield Text(
                "The {which} run is incomplete; only its verdicts so far are compared.",
                "{which}运行未完成；只比较已得出的判定。",
            ).format(which=which)
        elif run.footer and run.footer.because:
            yield Text(
                "The {which} run stopped early: {headline}.",
                "{which}运行提前停止：{headline}。",
            ).format(which=which, headline=HEADLINES[run.conclusion])
    for what, name in _NAMED:
        was, now = name(old.header), name(new.header)
        if was != now:
            yield Text(
                "Different {what}: `{was}` before, `{now}` now.",
                "{what}不同：之前为 `{was}`，现在为 `{now}`。",
            ).format(what=what, was=was.replace("`", "'"), now=now.replace("`", "'"))
    if old.header.suite_version != new.header.suite_version:
        yield Text(
            "Checks are matched by id; a check may have changed between versions.",
            "检查按 id 对应；同一检查在不同版本中可能有变化。",
        )
