"""``summary.md``: a short summary for the page of a CI job.

Untrusted text is in code spans that it cannot close: the fence is longer than any run of backticks
inside. Links in a response are therefore never clickable.
"""

from __future__ import annotations

import re

import markupsafe

from conformance.language import Language, Text, same
from conformance.model import ClientReadiness, Readiness, Run, Standing, State
from conformance.report.case import Case, case_of
from conformance.report.clients import (
    CLIENTS,
    NOTE,
    READINESS,
    clients_of,
    telling,
    why_of,
    without,
)
from conformance.report.locale.terms import (
    MORE_FINDINGS,
    STATES,
    TIERS,
    VERDICTS,
    counted,
    duration,
)
from conformance.report.objectives import (
    OBJECTIVES,
    STANDINGS,
    objectives_of,
    wanted_of,
)
from conformance.report.objectives import sentence_of as objective_told
from conformance.report.reproduce import SUITE
from conformance.report.sanitize import cut, line
from conformance.report.summary import Summary
from conformance.report.summary_rows import Row
from conformance.report.text_diff import Segments

WIDEST = 300
"""Maximum characters of an expected or actual value in a table cell."""

MAX_FINDINGS_LISTED = 50
"""Maximum number of listed findings; CI pages truncate long summaries."""

MAX_CASES = 20
"""Maximum number of findings with details below the table."""

_MARKS = {
    State.HONOURED: "✅",
    State.ACCEPTED: "☑️",
    State.ALTERED: "⚠️",
    State.IGNORED: "❌",
    State.REFUSED: "🚫",
    State.UNCLEAR: "❔",
    State.UNTESTED: "▫️",
}


def render(run: Run, key_env: str | None = None, language: Language = Language.ENGLISH) -> str:
    """Write the summary as GitHub-flavoured Markdown.

    Args:
        run: the run to report.
        key_env: the environment variable that commands read the key from; by default the one
            that the run used.
        language: the language of the summary.
    """
    return _Writer(Summary(run), key_env, language).whole()


def code(text: str) -> str:
    """Write any text as a one-line code span that it cannot close."""
    safe = cut(line(text), WIDEST).replace("|", r"\|")
    longest = max((len(run) for run in re.findall("`+", safe)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if safe.startswith("`") or safe.endswith("`") or not safe else ""
    return f"{fence}{padding}{safe}{padding}{fence}"


def escape(text: str) -> str:
    """Escape text so that it contains no Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&]|:(?=//))", r"\\\1", line(text))


def prose(sentence: str) -> str:
    """Write one of the suite's sentences; names in backticks become code spans."""
    ours, *rest = sentence.split("`")
    written = [escape(ours)]
    for place, part in enumerate(rest):
        written.append(escape(part) if place % 2 else code(part))
    return "".join(written)


class _Writer:
    """Writes one run in one language."""

    def __init__(self, summary: Summary, key_env: str | None, language: Language) -> None:
        self._summary = summary
        self._key_env = key_env
        self._language = language

    def whole(self) -> str:
        """Write the whole summary."""
        parts = [
            f"## {escape(self._of(self._summary.headline))}",
            prose(self._of(self._summary.sentence)),
            self._reason(),
            *map(self._note, (self._summary.judged_again, self._summary.taken_up)),
            self._notes(),
            self._facts(),
            self._counts(),
            self._clients(),
            self._objectives(),
            self._findings(),
            self._cases(),
            self._states(),
            self._undocumented(),
            self._gaps(),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _of(self, text: Text) -> str:
        return text.of(self._language)

    def _facts(self) -> str:
        header = self._summary.run.header
        result = [
            code(header.base_url),
            f"{self._of(_MODEL)} {code(header.model)}",
            f"{self._of(_CONTRACT)} {code(header.contract)}",
            self._of(TIERS[header.tier]),
            self._of(self._summary.cost_in_words),
            self._of(duration(self._summary.elapsed)),
        ]
        return " · ".join(result)

    def _reason(self) -> str:
        reason = self._summary.because
        return f"{self._of(_BECAUSE)}{code(self._of(reason))}" if reason else ""

    def _note(self, note: Text | None) -> str:
        return escape(self._of(note)) if note else ""

    def _notes(self) -> str:
        return "\n\n".join(f"{self._of(_NOTE)}{prose(self._of(n))}" for n in self._summary.notes)

    def _counts(self) -> str:
        return " · ".join(
            f"**{count}** {self._of(VERDICTS[verdict])}" for verdict, count in self._summary.tally
        )

    def _clients(self) -> str:
        """Say of each client whether it works, and of one that does not, why."""
        clients = clients_of(self._summary.run)
        if not clients:
            return ""
        rows = [self._of(_CLIENTS_HEAD), "| --- | --- | --- |", *map(self._client, clients)]
        title = f"**{self._of(CLIENTS)}**"
        return "\n\n".join((title, self._of(NOTE), "\n".join(rows)))

    def _client(self, client: ClientReadiness) -> str:
        state = f"{_CLIENT_MARKS[client.readiness]} {self._of(READINESS[client.readiness])}"
        need, why = telling(client), ""
        if need is not None:
            why = code(self._of(why_of(need)))
            if client.readiness is Readiness.NOT_READY:
                why = f"{prose(self._of(without(need)))} {why}"
        return f"| {escape(client.title)} | {state} | {why} |"

    def _objectives(self) -> str:
        """Say of each of the user's objectives whether it is met."""
        results = objectives_of(self._summary.run)
        if not results:
            return ""
        rows = [self._of(_OBJECTIVES_HEAD), "| --- | --- | --- |"]
        for result in results:
            state = f"{_OBJECTIVE_MARKS[result.standing]} {self._of(STANDINGS[result.standing])}"
            told = escape(self._of(objective_told(result)))
            rows.append(f"| {code(self._of(wanted_of(result.objective)))} | {state} | {told} |")
        return "\n\n".join((f"**{self._of(OBJECTIVES)}**", "\n".join(rows)))

    def _findings(self) -> str:
        troubles = self._summary.troubles
        if not troubles:
            return ""
        rows = [self._of(_FINDINGS_HEAD), "| --- | --- | --- |"]
        rows += [
            self._finding(case_of(self._summary, finding))
            for finding in troubles[:MAX_FINDINGS_LISTED]
        ]
        table = "\n".join(rows)
        left = len(troubles) - MAX_FINDINGS_LISTED
        if left <= 0:
            return table
        more = _IN_REPORT.format(findings=counted(left, MORE_FINDINGS))
        return f"{table}\n\n{self._of(more)}"

    def _finding(self, case: Case) -> str:
        finding = case.finding
        told = prose(self._of(self._summary.sentence_of(finding))).replace("\n", " ")
        if case.known is not None:
            told += f" {prose(self._of(case.known))}"
        verdict = self._of(VERDICTS[finding.shown])
        return f"| {verdict} | {code(finding.id)} | {told} |"

    def _cases(self) -> str:
        """Write collapsed details of the first failures: sources, likely cause, fix, curl."""
        cases = [
            case_of(self._summary, finding, self._key_env) for finding in self._summary.troubles
        ]
        result = [
            self._case(case, case.likely, case.remedy)
            for case in cases
            if case.likely is not None and case.remedy is not None and case.known is None
        ]
        return "\n\n".join(result[:MAX_CASES])

    def _case(self, case: Case, likely: Text, remedy: Text) -> str:
        finding, sentence = case.finding, case.requirement
        statement = Text(sentence.statement, sentence.statement_zh) if sentence else case.title
        points = [
            f"- {self._of(label)}{_distinguished(fragments)}"
            for label, fragments in zip(
                (_EXPECTED, _SEEN), case.compared_in(self._language), strict=True
            )
            if fragments
        ]
        points += [
            f"- {self._of(_PROMISED)} {code(source.document)}{self._of(_COLON)}"
            f"{escape(self._of(source.says))}"
            for source in case.sources
        ]
        points.append(f"- {self._of(_CAUSE)}{prose(self._of(likely))}")
        points.append(f"- {self._of(_TO_DO)}{prose(self._of(remedy))}")
        result = [
            f"<details><summary>{html(finding.id)}</summary>",
            prose(self._of(statement)),
            "\n".join(points),
            _block(self._again(case)),
            "</details>",
        ]
        return "\n\n".join(part for part in result if part)

    def _again(self, case: Case) -> str:
        """Write the commands that reproduce a finding, the suite's own last."""
        command = case.command_in(self._language)
        suite = f"# {self._of(SUITE)}\n{case.suite_command}"
        return f"{command}\n\n{suite}" if command else suite

    def _states(self) -> str:
        rows = [row for row in self._summary.rows_of("parameter") if row.subject.documented]
        if not rows:
            return ""
        head = f"{self._of(_STATES_HEAD)}\n| --- | --- | --- |"
        return "\n".join([head, *(self._state(row) for row in rows)])

    def _state(self, row: Row) -> str:
        subject = row.subject
        promise = escape(cut(self._of(Text(subject.promise, subject.promise_zh)), WIDEST))
        state = f"{_MARKS[row.state]} {self._of(STATES[row.state])}"
        if row.is_expected:
            state += self._of(_KNOWN)
        return f"| {code(subject.name)} | {state} | {promise} |"

    def _undocumented(self) -> str:
        """List the states of undocumented parameters and fields."""
        if not self._summary.undocumented:
            return ""
        document = same(code(self._summary.run.header.document))
        rows = [
            f"{code(row.subject.name)} {self._of(STATES[row.state])}"
            for row in self._summary.undocumented
        ]
        return f"{self._of(_BEYOND.format(document=document))}{', '.join(rows)}"

    def _gaps(self) -> str:
        if not self._summary.gaps:
            return ""
        result = [f"- {len(gap.left_open)} {self._of(gap.why)}" for gap in self._summary.gaps]
        return "\n".join([f"**{self._of(_NOT_VERIFIED)}**", "", *result])


_CLIENT_MARKS = {Readiness.READY: "✅", Readiness.NOT_READY: "❌", Readiness.NOT_TESTED: "▫️"}
_CLIENTS_HEAD = Text("| client | state | why |", "| 客户端 | 状态 | 原因 |")
_OBJECTIVE_MARKS = {Standing.MET: "✅", Standing.MISSED: "❌", Standing.UNDECIDED: "❔"}
_OBJECTIVES_HEAD = Text("| objective | state | measured |", "| 目标 | 状态 | 测量结果 |")
_KNOWN = Text(" (expected)", "（已知）")
_MODEL = Text("model", "模型")
_CONTRACT = Text("contract", "契约")
_NOTE = Text("Note: ", "提示：")
_BECAUSE = Text("Reason: ", "原因：")
_FINDINGS_HEAD = Text("| verdict | check | finding |", "| 判定 | 检查 | 发现 |")
_EXPECTED = Text("expected: ", "预期：")
_SEEN = Text("actual: ", "实际：")
_IN_REPORT = Text("{findings} in the full report.", "完整报告中还有 {findings}。")
_PROMISED = Text("source:", "出处：")
_COLON = Text(": ", "：")
_CAUSE = Text("likely cause: ", "可能原因：")
_TO_DO = Text("fix: ", "修复方法：")
_STATES_HEAD = Text("| parameter | state | promise |", "| 参数 | 状态 | 文档承诺 |")
_BEYOND = Text(
    "Not documented by {document} (informational): ", "{document} 文档未提及（仅供参考）："
)
_NOT_VERIFIED = Text("Not verified", "未验证")


def _distinguished(fragments: Segments) -> str:
    """Write a value as code with differences in bold, truncated if long."""
    written, room = [], WIDEST
    for fragment in fragments:
        if room <= 0:
            break
        span = code(cut(fragment.text, room))
        written.append(f"**{span}**" if fragment.differs and len(fragments) > 1 else span)
        room -= len(fragment.text)
    return "".join(written)


def _block(command: str) -> str:
    """Write a command line as a code block that it cannot close."""
    longest = max((len(run) for run in re.findall("`+", command)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sh\n{command}\n{fence}"


def html(text: str) -> str:
    """Escape text for HTML inside Markdown."""
    return str(markupsafe.escape(line(text)))
