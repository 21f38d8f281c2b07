"""results.json follows its schema, in which every member is described."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from conformance.model import Conclusion, Cost, Effect, Resumption, Role, State, Tier, Verdict
from conformance.report import results
from tests.gallery.recording import FAULTY, NAMES, kept
from tests.lanes import by_default
from tests.report.builders import a_failure, a_finding, a_run, a_subject, an_exchange
from tests.report.ci.test_sarif import EXPECTED, WHOLE
from tests.report.hostile import ATTACKS, a_hostile_run

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads(
    Path(results.__file__).with_name("results.schema.json").read_text()
)
RUNS = {
    "whole": WHOLE,
    "expected": a_run(EXPECTED),
    "incomplete": a_run(a_finding(), incomplete=True),
    "nothing ran": a_run(conclusion=Conclusion.NOTHING_RAN),
    "ended early": a_run(a_failure(), reason="the API key was rejected with 401"),
    "all of it": a_run(
        a_failure(exchanges=("x1",), roles={"x1": Role.PROBE}, effect=Effect.ALTERED),
        *(a_finding(f"stop.{verdict}", verdict) for verdict in Verdict if verdict != "expected"),
        exchanges=(an_exchange(),),
        subjects=(a_subject(), a_subject("object", kind="field")),
        headers={"X-Tenant": "acme"},
        reference="bundled",
        target="zero",
        strict=True,
        tier=Tier.DEEP,
        region="eu",
        label="release 7",
        resumed=(Resumption("2026-12-01T10:00:00+00:00", 60.0, 57, 12.5, Cost(3)),),
    ),
}


def closed(schema: Any) -> Any:
    """Return the schema as it is for what this version writes: without unknown members."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(one) for name, one in schema.items()}
    if "properties" in schema and isinstance(schema.get("type"), str):
        inner.setdefault("additionalProperties", False)
    return inner


VALIDATOR = Draft202012Validator(closed(SCHEMA))


def mistakes_in(text: str) -> list[str]:
    return [
        f"{one.json_path}: {one.message}"[:200] for one in VALIDATOR.iter_errors(json.loads(text))
    ]


def test_schema_is_valid() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["format"]["const"] == results.FORMAT


def test_schema_has_every_word() -> None:
    defs = SCHEMA["$defs"]
    assert set(defs["verdict"]["enum"]) == set(Verdict)
    assert set(defs["conclusion"]["enum"]) == set(Conclusion)
    assert set(defs["row"]["properties"]["state"]["enum"]) == set(State)
    assert set(defs["cost"]["properties"]) == {*Cost.__dataclass_fields__, "tokens"}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS.keys())
def test_results_follow_the_schema(run) -> None:
    assert mistakes_in(results.render(run)) == []


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_hostile_results_follow_the_schema(attack: str) -> None:
    assert mistakes_in(results.render(a_hostile_run(attack))) == []


@pytest.mark.parametrize("name", by_default([FAULTY, "zhizengzeng"], NAMES))
def test_recorded_runs_follow_the_schema(name: str) -> None:
    assert mistakes_in(results.render(kept(name))) == []


def test_example_of_the_guide_reads_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "results.json").write_text(results.render(WHOLE))
    monkeypatch.chdir(tmp_path)
    guide = (ROOT / "docs" / "reports.md").read_text("utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    exec(compile(example, "reports.md", "exec"), {})
    assert capsys.readouterr().out.startswith("stop.five-refused `stop` of 1 entries was served")


def test_later_members_are_no_mistake() -> None:
    document = {**json.loads(results.render(WHOLE)), "added": 1}
    assert Draft202012Validator(SCHEMA).is_valid(document)
