"""Every broken metamorphic relation is found, and no conforming endpoint is reported."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.contract import DOCUMENTS, load_contract
from conformance.engine.estimate import plan
from conformance.engine.runner import run
from conformance.engine.selection import Options
from conformance.model import Exchange, Finding, Stage, Target, Tier, Verdict
from conformance.record.events import ExchangeMade, FindingMade
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.registry import all_variants
from reference_server.behaviour.rewrite import Rewrite
from tests.checks.combinations import keep_ids, tell_ids
from tests.fake_server import MODEL, FakeServer
from tests.generation.endpoints import OPENAI, finding_of, findings_of

FAILURES = {Verdict.FAIL, Verdict.WARN}
GENERATED = Options(tier=Tier.DEEP, select=("relations.*",), stage=Stage.GENERATED)
SEEDS = range(2)


def reported(found: dict[str, Finding]) -> set[str]:
    return {check_id for check_id, finding in found.items() if finding.verdict in FAILURES}


FAULTS = {
    "first-token-duplicated": "relations.stream-as-plain",
    "batch-first-for-all": "relations.batch-as-singles",
    "index-copies-first": "relations.index-layout",
    "stop-ignored": "relations.stop-cuts",
    "hidden-prompt-billed": "relations.usage-of-batch",
    "seed-ignored": "relations.seed-repeats",
}
"""Some faults of the catalogue, and a relation that each breaks whatever is drawn."""


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", FAULTS)
def test_broken_relation_is_found_with_every_seed(name: str, seed: int) -> None:
    finding = finding_of(FAULTS[name], FakeServer(name), seed=seed)
    assert finding.verdict in FAILURES, finding.message
    assert finding.expected is not None


def test_effective_ban_is_recognised() -> None:
    server = FakeServer(Rewrite(request=keep_ids, non_streaming=tell_ids))
    assert finding_of("relations.ban-bans", server).verdict is Verdict.PASS


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_conforming_endpoint_keeps_every_relation(document: str, seed: int) -> None:
    found = findings_of("none", contract=document, seed=seed)
    left = {f.verdict for f in found.values()}
    assert left <= {Verdict.PASS, Verdict.SKIPPED}, {f.message for f in found.values()}
    assert sum(f.verdict is Verdict.PASS for f in found.values()) >= len(found) / 2


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", all_variants())
def test_no_conforming_server_is_reported(name: str) -> None:
    assert reported(findings_of(name)) == set()


# ── what is asked ────────────────────────────────────────────────────────────────────────────────


def exchanges_of(
    options: Options, shown: Behaviour | str = "none"
) -> tuple[list[Exchange], list[Finding]]:
    """Run the relations; return the requests and the findings."""

    async def main() -> tuple[list[Exchange], list[Finding]]:
        exchanges, findings = [], []
        target = Target("http://fake/v1", MODEL, "openai", "sk-a-key")
        transport = FakeServer(shown)
        async for event in run(target, OPENAI, options, transport=transport):
            match event:
                case ExchangeMade() if event.exchange.request.method == "POST":
                    exchanges.append(event.exchange)
                case FindingMade():
                    findings.append(event.finding)
        return exchanges, findings

    return asyncio.run(main())


def bodies_of(exchanges: list[Exchange]) -> list[bytes]:
    return sorted(exchange.request.body for exchange in exchanges)


@pytest.mark.parametrize("seed", SEEDS)
def test_relations_share_requests_and_cost_little(seed: int) -> None:
    options = Options(tier=Tier.DEEP, select=("relations.*",), stage=Stage.GENERATED, seed=seed)
    planned = plan(OPENAI, options)
    assert planned.requests <= 22
    assert planned.tokens <= 1_500
    exchanges, _ = exchanges_of(options)
    assert len(exchanges) == planned.requests


def test_all_relations_draw_the_same_two_prompts() -> None:
    exchanges, _ = exchanges_of(GENERATED)
    drawn: set[str] = set()
    for exchange in exchanges[1:]:  # the first is the run's own
        prompt = json.loads(exchange.request.body)["prompt"]
        drawn.update([prompt] if isinstance(prompt, str) else prompt)
    texts = {prompt for prompt in drawn if isinstance(prompt, str)}
    assert len(texts) == 2
    assert sorted(map(str.isascii, texts)) in ([False, True], [False, False])


def test_seed_repeats_a_run_and_its_findings() -> None:
    options = Options(tier=Tier.DEEP, select=("relations.stop-cuts",), seed=11)
    (first, found), (again, refound) = (exchanges_of(options, "stop-ignored") for _ in range(2))
    assert bodies_of(first) == bodies_of(again)
    assert [f.message for f in found] == [f.message for f in refound]
    together = Options(tier=Tier.DEEP, select=("relations.*",), stage=Stage.GENERATED, seed=11)
    _, among_others = exchanges_of(together, "stop-ignored")
    (alone,) = found
    assert alone.message in {finding.message for finding in among_others}
    assert alone.verdict is Verdict.FAIL


def test_another_seed_draws_other_requests() -> None:
    request = {
        tuple(bodies_of(exchanges_of(Options(tier=Tier.DEEP, select=("relations.*",), seed=s))[0]))
        for s in SEEDS
    }
    assert len(request) == len(SEEDS)


PROBE = """
import json, sys
sys.path.insert(0, {root!r})
{before}
from tests.checks.test_metamorphic import GENERATED, bodies_of, exchanges_of
print(json.dumps([body.decode() for body in bodies_of(exchanges_of(GENERATED)[0])]))
"""


def test_loaded_modules_do_not_change_the_draws(tmp_path: Path) -> None:
    """Hypothesis draws numbers that it finds in the source of whatever modules are loaded."""
    numbers = "\n".join(f"n{i} = {i}" for i in range(2000))
    (tmp_path / "full_of_numbers.py").write_text(numbers, "utf-8")
    root = str(Path(__file__).parents[2])

    def request(before: str) -> Any:
        code = PROBE.format(root=root, before=before)
        environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{root}"}
        result = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            cwd=tmp_path,
            env=environment,
            text=True,
        )
        return json.loads(result.stdout)

    assert request("") == request("import full_of_numbers")
    assert {path.name for path in tmp_path.iterdir()} <= {"full_of_numbers.py", "__pycache__"}


def test_failure_names_the_wide_prompt_alone() -> None:
    finding = finding_of("relations.stream-as-plain", FakeServer("question-marks@stream"))
    _, _, request = (finding.expected or "").partition("; smallest failing request: ")
    body = json.loads(request)
    assert set(body) == {"stream", "prompt", "max_tokens", "temperature"}
    assert isinstance(body["prompt"], str)
    assert not body["prompt"].isascii()
    assert finding.exchanges
    assert load_contract("openai").requirement(finding.requirement).id == (
        "streaming.text-equals-plain"
    )
