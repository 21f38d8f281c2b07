"""The pages of a site as HTML, from the views of its series; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from conformance.history.changes import Step, Turn
from conformance.history.entry import Entry
from conformance.history.site import charts, words
from conformance.history.site.days import Span, day_of, iso
from conformance.history.site.kinds import NOT_RUN, RUN_ORDER, RUNS, SUBJECTS, Kind
from conformance.history.site.series import SeriesView, moved, page_name
from conformance.history.site.strip import axis, sample
from conformance.history.store import name_of
from conformance.language import Language, Text, join_texts
from conformance.report.html import page
from conformance.report.locale.terms import VERDICTS, Noun, counted

MAX_CHANGES = 200
"""Changes of a series that its page lists, the newest."""

MAX_LATEST = 40
"""Changes that the front page lists."""

MAX_CHECKS = 30
"""Checks that one change lists."""

MAX_BEFORES = 5
"""Earlier runs that one change links."""

MAX_RUNS = 400
"""Runs of a series that its page lists, the newest."""

TARGET = Noun("target", "targets", "{n} 个目标")

Address = Callable[[Entry, str | None], str | None]
"""Returns the link to a run, at a check in it, from the folder of a page; None if there is none."""


@dataclass(frozen=True, slots=True)
class Target:
    """One target: its name and its series, that of the last run first; at least one."""

    name: str
    series: tuple[SeriesView, ...]

    @property
    def page(self) -> str:
        """The name of its page, without its ending."""
        return page_name(self.name)

    @property
    def worst(self) -> SeriesView:
        """The series that stands worst now."""
        return min(self.series, key=lambda one: RUN_ORDER[one.last.conclusion])


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A change as a page lists it."""

    step: Step
    view: SeriesView

    @property
    def anchor(self) -> str:
        """Its id on the target's page."""
        return anchor_of(self.step)

    @property
    def day(self) -> str:
        """The day."""
        return iso(day_of(self.step.entry))

    @property
    def lines(self) -> tuple[Text, ...]:
        """What it is, in a line or more: its regressions and recoveries in numbers, and notes."""
        step, counts = self.step, words.counts_of(self.step)
        lines = [counts] if counts else []
        if not step.is_comparable:
            lines.append(words.ANEW)
        if step.before is not None and moved(step):
            lines.append(words.moved_from(step.before, step.entry))
        return tuple(lines)

    @property
    def befores(self) -> tuple[Entry, ...]:
        """The runs that judged its checks otherwise, the latest first; mostly one."""
        turns = (*self.step.regressions, *self.step.recoveries)
        found = {turn.before.path: turn.before for turn in turns}
        ordered = sorted(found.values(), key=lambda entry: entry.started_at, reverse=True)
        return tuple(ordered[:MAX_BEFORES])

    @property
    def groups(self) -> tuple[tuple[str, tuple[Turn, ...], int], ...]:
        """Regressions and recoveries: the colour, the checks, and how many more there are."""
        return tuple(
            (colour, turns[:MAX_CHECKS], max(0, len(turns) - MAX_CHECKS))
            for colour, turns in (("bad", self.step.regressions), ("good", self.step.recoveries))
            if turns
        )


def anchor_of(step: Step) -> str:
    """Return the id of a change on the target's page, which stays while the page goes on."""
    return f"change-{name_of(step.entry)}"


def front(targets: Sequence[Target], span: Span, language: Language) -> str:
    """Write the front page.

    Args:
        targets: all of them.
        span: the days of the heat map.
        language: the initial language; the page contains both.
    """
    ordered = sorted(
        targets, key=lambda one: (RUN_ORDER[one.worst.last.conclusion], one.name.lower())
    )
    latest = [
        (target, ChangeView(step, view))
        for target in targets
        for view in target.series
        for step in view.changes
        if step.is_change and span.holds(day_of(step.entry))
    ]
    latest.sort(key=lambda one: one[1].step.entry.started_at, reverse=True)
    return page.render(
        "history.html.j2",
        title=TITLE,
        language=language,
        styles=("history.css",),
        sentence=_sentence(targets),
        targets=ordered,
        axis=axis(span),
        span=span,
        iso=iso,
        iso_of=lambda entry: iso(day_of(entry)),
        CHANGE=words.CHANGE,
        said_of_turns=lambda colour, turns: SAID[colour](turns),
        latest=latest[:MAX_LATEST],
        more=max(0, len(latest) - MAX_LATEST),
        legend=_legend(RUNS),
        not_run=NOT_RUN,
    )


def _sentence(targets: Sequence[Target]) -> Text:
    counts = Counter(target.worst.last.conclusion for target in targets)
    parts = [
        COUNT.format(n=counts[kind], words=look.words.mapped(str.lower))
        for kind, look in RUNS.items()
        if counts[kind]
    ]
    return SENTENCE.format(
        targets=counted(len(targets), TARGET), parts=join_texts(parts, Text(", ", "，"))
    )


def _legend(looks: Mapping[str, Kind]) -> tuple[tuple[Markup, Text], ...]:
    """Return a sample and its words for each look that differs, the worst first."""
    found: dict[tuple[str, int], list[Kind]] = {}
    for look in looks.values():
        found.setdefault((look.colour, look.height), []).append(look)
    return tuple(
        (sample(alike[0]), join_texts([one.words for one in alike], Text(", ", "、")))
        for alike in found.values()
    )


def target_page(target: Target, address: Address, language: Language, *, has_badge: bool) -> str:
    """Write the page of one target.

    Args:
        target: the target.
        address: the links to its runs.
        language: the initial language; the page contains both.
        has_badge: whether its badge is beside the page.
    """
    return page.render(
        "history-target.html.j2",
        title=TARGET_TITLE.format(name=target.name),
        language=language,
        styles=("history.css",),
        target=target,
        has_badge=has_badge,
        changes={
            view.number: [ChangeView(step, view) for step in view.changes[:MAX_CHANGES]]
            for view in target.series
        },
        pictures={view.number: charts.pictures(view) for view in target.series},
        runs={view.number: view.entries[::-1][:MAX_RUNS] for view in target.series},
        address=address,
        axis=axis,
        iso=iso,
        iso_of=lambda entry: iso(day_of(entry)),
        looks=RUNS,
        run_legend=_legend(RUNS),
        subject_legend=_legend(SUBJECTS),
        not_run=NOT_RUN,
        said=lambda verdict: VERDICTS[verdict],
    )


SAID = {"bad": words.regressed, "good": words.recovered}
TITLE = Text("History of targets", "目标的历史")
TARGET_TITLE = Text("History of {name}", "{name} 的历史")
SENTENCE = Text("{targets}: {parts}.", "{targets}：{parts}。")
COUNT = Text("{n} {words}", "{n} 个{words}")
