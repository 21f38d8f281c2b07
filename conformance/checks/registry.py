"""Checks as values: a function, bound to the one requirement it judges.

Most ask the endpoint something. Invariants ask nothing: they look at whatever the others were
answered, and so find what shows only in some answer that nobody thought of.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache, reduce, wraps

from conformance.api import Api
from conformance.checks._causes import JUDGED_AT_THE_END, JUDGED_BY, REFUSAL_JUDGED_BY
from conformance.checks._compare import Unsettled
from conformance.checks._invariants import (
    JudgeAnswer,
    JudgeRun,
    Looked,
    conclude,
    hold_not_yet_told,
    look_at_each,
)
from conformance.checks._steadiness import settle
from conformance.contract import DOCUMENTS, ContractError, load_contract
from conformance.judgement import Absence, Deviation, Judgement, NotApplicable, Refusal, Thing
from conformance.model import Stage, Tier
from conformance.plugins import Plugin, plugins

CheckFunction = Callable[[Api], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        id: permanent; people select by it and pin it in baselines.
        requirement: the id of the sentence it judges.
        title: the sentence that a reader of the report sees, from the function's docstring.
        title_zh: the same sentence in Chinese, the docstring's second paragraph.
        needs: parameters that the check uses as instruments; it is skipped where the contract does
            not document one of them.
        run: returns for a pass, raises a :class:`~conformance.judgement.Judgement` otherwise.
        asks: whether it always sends requests; one that does not is run when all that do are
            finished.
        stage: how it comes by its requests.
    """

    id: str
    requirement: str
    tier: Tier
    title: str
    title_zh: str
    needs: tuple[str, ...]
    run: CheckFunction
    asks: bool = True
    stage: Stage = Stage.DIRECTED

    @property
    def source(self) -> str:
        """The check's own code, for ``conformance explain``."""
        return inspect.getsource(self.run)


_registered: dict[str, Check] = {}


def check(
    check_id: str,
    *,
    requirement: str,
    tier: str = "standard",
    needs: tuple[str, ...] = (),
    stage: Stage = Stage.DIRECTED,
) -> Callable[[CheckFunction], CheckFunction]:
    """Register the decorated function as a check.

    Raises:
        ValueError: the id is taken, or the docstring lacks what is shown to a reader, in either
            language.
    """

    def register(function: CheckFunction) -> CheckFunction:
        @wraps(function)
        async def run(api: Api) -> None:
            try:
                await function(api)
            except Absence as absence:
                if _is_first(stage, api):
                    raise
                simpler = await same_absence(absence, check_id, api)
                if simpler is None:
                    raise
                raise NotApplicable(
                    f"{absence.thing} did not come back, and {simpler} judges that"
                ) from None
            except Refusal as refusal:
                if _is_first(stage, api):
                    raise
                simpler = await same_refusal(refusal, check_id, api)
                if simpler is None:
                    raise
                raise NotApplicable(f"{refusal}, and {simpler} judges that") from None
            except Unsettled as doubt:
                raise await settle(doubt, api) from None

        @wraps(function)
        async def run_last(api: Api) -> None:
            try:
                await run(api)
            except (Deviation, Refusal) as found:
                accuser = who_told(found, requirement, api)
                if accuser is None:
                    raise
                raise NotApplicable(f"{accuser} has found what may be the cause of this") from None

        titles = titles_of(function, check_id)
        judge = run if stage is Stage.DIRECTED else run_last
        _add(Check(check_id, requirement, Tier(tier), *titles, needs, judge, stage=stage))
        return function

    return register


def invariant(
    check_id: str,
    *,
    requirement: str,
    tier: str = "smoke",
    needs: tuple[str, ...] = (),
    of: Thing | None = None,
    explained_by: tuple[str, ...] = (),
) -> Callable[[JudgeAnswer], JudgeAnswer]:
    """Register the decorated function as a check of every answer of a run, which asks nothing.

        @invariant("usage.total-everywhere", requirement="usage.total-is-sum")
        def every_total_is_the_sum(answer: Answered) -> None:
            \"\"\"In every answer `total_tokens` is the sum of the other two.

            每个响应的 `total_tokens` 都是另外两项之和。
            \"\"\"
            usage = answer.bill
            expect(usage.total_tokens, "total_tokens").equals(…)

    It is called with each exchange that the run made, whatever check asked for it: plain and
    streamed, refused and broken off, and answers to requests that are wrong on purpose. The
    accessors of :class:`~conformance.answered.Answered` pass over what an invariant does not speak
    of: where there is no completion, no usage, or a parameter of a wrong type, they raise what
    means that there is nothing to judge. Nothing can be asked again, so whatever a correct endpoint
    may do now and then, such as another greedy answer, has to be allowed for.

    Its finding names how many answers break the rule and what those have in common. It is skipped
    where another check found the same requirement broken, and where something is missing as a whole
    (a :class:`~conformance.judgement.Thing`) and another check said so. ``of`` names that thing for
    an invariant which is about its being there; any other passes over an answer that lacks it.
    ``explained_by`` names requirements whose breach explains a breach of this one.

    Raises:
        ValueError: the id is taken, or the docstring lacks what is shown to a reader, in either
            language.
    """

    def register(function: JudgeAnswer) -> JudgeAnswer:
        @wraps(function)
        async def run(api: Api) -> None:
            hold_not_yet_told(api.whole_run, (requirement, *explained_by), of)
            conclude(look_at_each(function, of, api.whole_run.answers), api)

        titles = titles_of(function, check_id)
        _add(Check(check_id, requirement, Tier(tier), *titles, needs, run, asks=False))
        return function

    return register


def check_afterwards(
    check_id: str, *, requirement: str, tier: str = "smoke", needs: tuple[str, ...] = ()
) -> Callable[[CheckFunction], CheckFunction]:
    """Register a check that looks at a whole run, and asks only where that raises a suspicion.

    It is run when all checks that ask are finished, and finds what they left behind in
    ``api.whole_run``; against an endpoint that raises no suspicion it costs nothing.

    Raises:
        ValueError: the id is taken, or the docstring lacks what is shown to a reader, in either
            language.
    """

    def register(function: CheckFunction) -> CheckFunction:
        titles = titles_of(function, check_id)
        _add(Check(check_id, requirement, Tier(tier), *titles, needs, function, asks=False))
        return function

    return register


def invariant_across(
    check_id: str,
    *,
    requirement: str,
    tier: str = "smoke",
    needs: tuple[str, ...] = (),
    explained_by: tuple[str, ...] = (),
) -> Callable[[JudgeRun], JudgeRun]:
    """Register a check that compares the answers of a run, and asks nothing.

    The function takes all of them in the order in which they came, and yields a
    :class:`~conformance.answered.Breach` for what breaks the requirement; otherwise it is like
    :func:`invariant`.
    """

    def register(function: JudgeRun) -> JudgeRun:
        @wraps(function)
        async def run(api: Api) -> None:
            hold_not_yet_told(api.whole_run, (requirement, *explained_by))
            answers = api.whole_run.answers
            conclude(Looked(answers, tuple(function(answers))), api)

        titles = titles_of(function, check_id)
        _add(Check(check_id, requirement, Tier(tier), *titles, needs, run, asks=False))
        return function

    return register


def _add(made: Check) -> None:
    if made.id in _registered:
        raise ValueError(f"check {made.id} is registered twice")
    _registered[made.id] = made


def titles_of(function: Callable[..., object], check_id: str) -> tuple[str, str]:
    """Read a check's sentence in English and in Chinese: its docstring's first two paragraphs.

    Raises:
        ValueError: there is no docstring, or its second paragraph is not in Chinese.
    """
    english, _, rest = (inspect.getdoc(function) or "").partition("\n\n")
    if not english:
        raise ValueError(f"check {check_id}: the docstring is what a reader sees; write one")
    chinese = rest.partition("\n\n")[0]
    if not any(map(_is_wide, chinese)):
        raise ValueError(
            f"check {check_id}: the docstring's second paragraph is its sentence in Chinese, for"
            " those who read the reports in it; write one"
        )
    return " ".join(english.split()), reduce(_joined, chinese.splitlines())


def _joined(line: str, following: str) -> str:
    """Join two lines of Chinese, in which words stand side by side without a blank."""
    between = "" if _is_wide(line[-1]) and _is_wide(following[0]) else " "
    return line + between + following


def _is_wide(character: str) -> bool:
    """Tell whether a character is one of Chinese, its punctuation included."""
    return unicodedata.east_asian_width(character) in {"W", "F"}


async def same_absence(absence: Absence, check_id: str, api: Api) -> str | None:
    """Return the check that finds the same thing missing from a simpler answer, if one does.

    It asks what is asked anyway, so that this costs nothing in a whole run. A thing that is missing
    here alone stays this check's own finding, unless an invariant finds that wherever it is.
    """
    for simpler in JUDGED_BY[absence.thing]:
        if simpler == check_id:
            return None
        judge = _registered[simpler]
        if api.contract.why_not_in_force(judge.requirement) is not None:
            continue
        try:
            await inspect.unwrap(judge.run)(api)
        except Absence as found:
            # A stream that does not come back at all tells nothing about what an answer lacks.
            if found.thing is absence.thing or found.thing is not Thing.STREAM:
                return simpler
        except Judgement:
            continue
    return JUDGED_AT_THE_END.get(absence.thing)


async def same_refusal(refusal: Refusal, check_id: str, api: Api) -> str | None:
    """Return the check that finds a promised parameter refused in a simpler request, if one does.

    Where nothing is promised a refusal is no accusation, and tells what else is not served.
    """
    for feature in sorted(refusal.features & REFUSAL_JUDGED_BY.keys()):
        judge = _registered[REFUSAL_JUDGED_BY[feature]]
        if judge.id == check_id or not api.contract.promises(feature):
            continue
        if api.contract.why_not_in_force(judge.requirement) is not None:
            continue
        try:
            await inspect.unwrap(judge.run)(api)
        except Refusal as found:
            if feature in found.features:
                return judge.id
        except Judgement:
            continue
    return None


ROOMS = ("conformance.checks", "conformance.generated")
"""The packages whose modules register checks by being imported."""


def _is_first(stage: Stage, api: Api) -> bool:
    """Tell whether a generated check runs where no directed one has, which could judge instead."""
    return stage is Stage.GENERATED and not api.whole_run.findings


def who_told(found: Deviation | Refusal, requirement: str, api: Api) -> str | None:
    """Return the check that found the cause of what a generated one has found, if one may have.

    That is any accusation, unless the smallest request that shows it is known, and the accusation
    is about a parameter which that has not.
    """
    area = api.contract.requirement(requirement).area
    parameters = {parameter.name for parameter in api.contract.parameters}
    for finding in api.whole_run.accusations:
        elsewhere = found.features is not None and finding.subject not in found.features
        its_own = finding.subject in parameters
        alike = api.contract.requirement(finding.requirement).area == area
        if not (elsewhere and its_own) or alike:
            return finding.id
    return None


@cache
def all_checks() -> tuple[Check, ...]:
    """Import whatever registers checks and return these in the order of their ids.

    That is every module of the rooms, and the modules that other packages name by entry points.

    Raises:
        PluginError: another package's checks cannot be used.
    """
    for room in ROOMS:
        for module in pkgutil.iter_modules(importlib.import_module(room).__path__):
            importlib.import_module(f"{room}.{module.name}")
    known = set(_registered)
    for plugin in plugins():
        plugin.load()
        for name in _registered.keys() - known:
            _hold_sound(_registered[name], plugin)
        known |= _registered.keys()
    return tuple(sorted(_registered.values(), key=lambda c: c.id))


def _hold_sound(made: Check, plugin: Plugin) -> None:
    """Hold that a check of another package names only what there is, before any run depends on it.

    Raises:
        PluginError: it does not.
    """
    # Whatever the contract, it knows every requirement and every parameter, in force or not.
    contract = load_contract(DOCUMENTS[0])
    try:
        contract.requirement(made.requirement)
    except ContractError as error:
        raise plugin.broken(f"of its check {made.id}, {error}") from None
    known = {parameter.name for parameter in contract.parameters}
    strange = [name for name in made.needs if name not in known]
    if strange:
        raise plugin.broken(f"its check {made.id} needs `{strange[0]}`, which is no parameter")
