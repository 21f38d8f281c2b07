"""Rules over many rows of data, each as one test that lists every row that breaks it.

One test per row costs collection and reporting time in every worker. Cases that call a server or
show behaviour worth a name of its own are parametrised with pytest instead.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

MAX_LABEL_CHARS = 80
ParameterSet = type(pytest.param())
Labels = Iterable[str] | Callable[[Any], str]


def for_each_case(
    names: str | Sequence[str], cases: Iterable[Any], *, ids: Labels = str
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test on every case, like ``pytest.mark.parametrize`` but as a single item.

    ``names``, ``cases`` and ``ids`` are what ``parametrize`` takes, without its marks.
    All cases run; the failure lists those whose assertions did not hold. Any other exception ends
    the test at once and names its case. Raises ValueError if there are no cases.
    """
    fields = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    rows = [case if isinstance(case, ParameterSet) else _row(case, len(fields)) for case in cases]
    if not rows:
        raise ValueError("a rule over no cases tests nothing")
    listed = None if callable(ids) else list(ids)

    def label_of(number: int) -> str:
        row = rows[number]
        if row.id:
            return str(row.id)
        if listed is not None:
            return listed[number]
        return ", ".join(ids(value)[:MAX_LABEL_CHARS] for value in row.values)

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def run_all(**fixtures: Any) -> None:
            failed = []
            for number, row in enumerate(rows):
                try:
                    test(**fixtures, **dict(zip(fields, row.values, strict=True)))
                except (AssertionError, pytest.fail.Exception) as error:
                    failed.append(f"[{label_of(number)}] {error}")
                except Exception as error:
                    error.add_note(f"in the case [{label_of(number)}]")
                    raise
            assert not failed, f"{len(failed)} of {len(rows)} cases fail:\n" + "\n".join(failed)

        signature = inspect.signature(test)
        kept = [p for name, p in signature.parameters.items() if name not in fields]
        run_all.__signature__ = signature.replace(parameters=kept)
        return run_all

    return decorate


def _row(case: Any, fields: int) -> Any:
    return pytest.param(case) if fields == 1 else pytest.param(*case)
