"""``--reference``: the server that a run compares responses with."""

import json
from importlib import metadata
from pathlib import Path

import httpx
import pytest

from conformance.engine import runner
from conformance.model import Verdict
from conformance.record.ndjson import read_run
from conformance.targets import bundled
from tests.cli.endpoints import NAMED, WithoutStop
from tests.servers import DEMO_KEY, running_server

STOP = ("--select", "stop.*", "--out", "out")
ELSEWHERE = ("--reference", "http://reference.example/v1")


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch, fake) -> list:
    """Collect the reference of each run, without requests to it."""
    fake()
    make_api = []
    fake_endpoint = runner.run

    def run(target, contract, options, *, reference=None, **_):
        make_api.append(reference)
        return fake_endpoint(target, contract, options)

    monkeypatch.setattr(runner, "run", run)
    return make_api


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ((), "bundled"),
        (("--reference", "bundled"), "bundled"),
        (("--reference", "none"), None),
        ((*ELSEWHERE, "--reference-model", "m"), "http://reference.example/v1"),
    ],
)
def test_reference_can_be_chosen(command, chosen, words, name) -> None:
    assert command("run", *NAMED, *STOP, *words).exit_code == 0
    assert [reference and reference.name for reference in chosen] == [name]


def test_missing_bundled_server_disables_the_comparison(
    command, chosen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(bundled.metadata, "version", version)
    assert command("run", *NAMED, *STOP).exit_code == 0
    assert chosen == [None]


def test_bundled_server_self_comparison_is_optional(command, chosen) -> None:
    for words in ((), ("--reference", "bundled")):
        command("run", "--select", "stop.five-refused", *words)
    assert [reference and reference.name for reference in chosen] == [None, "bundled"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (ELSEWHERE, "--reference-model is required with a URL: name a model that reference"),
        (("--reference", "bundled", "--reference-model", "m"), "require --reference URL"),
        (("--reference-key-env", "HOME"), "require --reference URL"),
        (("--reference", "bundeld"), "--reference 'bundeld' needs http:// or https://"),
        ((*ELSEWHERE, "--reference-model", "m", "--reference-key-env", "NOT_SET"), "NOT_SET"),
        ((*ELSEWHERE, "--reference-key-env", "sk-0123456789abcdefghij"), "not the key itself"),
    ],
)
def test_conflicting_options_are_reported(command, fake, words, sentence) -> None:
    fake()
    result = command("run", *NAMED, *STOP, *words)
    assert result.exit_code == 4
    assert sentence in result.output
    assert "0123456789" not in result.output
    assert not Path("out").exists()


def test_overlong_url_is_cut_and_reported(command, chosen) -> None:
    far = ("--reference", "http://reference.example/v1/completions", "--reference-model", "m")
    result = command("run", *NAMED, *STOP, *far).output
    assert "--reference should end before /completions" in result
    assert chosen[0].name == "http://reference.example/v1"


def test_reference_has_a_separate_key(command, chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-the-endpoints-own-key")
    monkeypatch.setenv("REFERENCE_KEY", "sk-the-references-key")
    words = (*ELSEWHERE, "--reference-model", "m")
    command("run", *NAMED, *STOP, *words)
    result = command(
        "run", *NAMED, *STOP[:2], *words, "--reference-key-env", "REFERENCE_KEY"
    ).output
    assert (
        "sending the API key in $REFERENCE_KEY to the reference server at reference.example"
        in result
    )
    assert "sk-the-references-key" not in result
    keys = []
    for reference in chosen:
        with reference.open() as target:
            keys.append((target.api_key, reference.secrets))
    assert keys == [(None, ()), ("sk-the-references-key", ("sk-the-references-key",))]


@pytest.mark.parametrize(
    ("contract", "refused"), [("zhizengzeng", False), ("openai", False), ("zero", True)]
)
def test_bundled_server_emulates_the_contract(command, chosen, contract, refused) -> None:
    """Only the dialect of ``zero`` rejects ``seed``, which its page does not list."""
    command("run", *NAMED, *STOP, "--contract", contract, "--reference", "bundled")
    (reference,) = chosen
    with reference.open() as target:
        response = httpx.post(
            f"{target.base_url}/completions",
            json={"model": target.model, "prompt": "1", "max_tokens": 1, "seed": 1},
            headers={"Authorization": f"Bearer {target.api_key}"},
        )
    assert (response.status_code == 400) is refused


def test_faulty_server_is_compared_with_the_bundled_one(process, tmp_path: Path) -> None:
    with running_server("--fault", "echo-dropped") as server:
        judged = process(
            *("run", "--base-url", server.base_url, "--model", "gpt-3.5-turbo-instruct"),
            *("--select", "echo.*", "--tier", "smoke", "--out", "out"),
            *("--api-key-env", "DEMO_KEY"),
            DEMO_KEY=DEMO_KEY,
        )
    assert judged.returncode == 1, judged.stderr
    run = read_run(tmp_path / "out" / "run.ndjson")
    assert run.header.reference == "bundled"
    exchanges = {exchange.id: exchange for exchange in run.exchanges}
    (broken,) = (f for f in run.findings if f.id == "echo.prompt-first")
    assert broken.verdict is Verdict.FAIL
    compared = [c for c in run.comparisons if c.exchange in broken.exchanges]
    assert compared
    for comparison in compared:
        theirs = exchanges[comparison.exchange]
        prompt = json.loads(theirs.request.body)["prompt"]
        (choice,) = json.loads(comparison.answer.body)["choices"]
        assert choice["text"].startswith(prompt)
        assert not json.loads(theirs.body)["choices"][0]["text"].startswith(prompt)
    assert run.footer is not None
    assert run.footer.reference_cost is not None
    assert run.footer.reference_cost.requests == len(run.comparisons)
    assert DEMO_KEY not in (tmp_path / "out" / "run.ndjson").read_text("utf-8")
    assert "sk-bundled" not in (tmp_path / "out" / "run.ndjson").read_text("utf-8")


def test_unreachable_reference_is_reported_in_one_line(command, monkeypatch) -> None:
    conforming = runner.run

    def run(target, contract, options, *, reference=None, **_):
        endpoint = WithoutStop(contract, target.model)
        return conforming(target, contract, options, transport=endpoint, reference=reference)

    monkeypatch.setattr(runner, "run", run)
    closed = "http://127.0.0.1:9/v1"
    result = command("run", *NAMED, *STOP, "--reference", closed, "--reference-model", "m")
    assert result.exit_code == 1
    assert result.output.count("the reference server does not respond: ") == 1
    assert read_run(Path("out/run.ndjson")).footer is not None


def test_error_details_hide_the_reference_key(command, monkeypatch: pytest.MonkeyPatch) -> None:
    conforming = runner.run

    async def failing(target, contract, options, *, reference=None, **_):
        async for event in conforming(target, contract, options):
            yield event
            raise RuntimeError(f"cannot send Bearer {reference.secrets[0]}")

    monkeypatch.setattr(runner, "run", failing)
    monkeypatch.setenv("REFERENCE_KEY", "sk-the-references-key")
    words = (*ELSEWHERE, "--reference-model", "m", "--reference-key-env", "REFERENCE_KEY")
    assert command("run", *NAMED, *STOP, *words).exit_code == 3
    (details,) = Path("out").glob("error-*.txt")
    assert "RuntimeError" in details.read_text()
    assert "sk-the-references-key" not in details.read_text()
