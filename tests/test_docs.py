"""Documents agree with the tree and with each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from conformance.contract import load_contract
from conformance.profiles import COMPARISONS, READINGS, bundled_names, load_profile

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
CHINESE = DOCS / "zh"
DECISIONS = DOCS / "decisions"
IGNORED_FOLDERS = {"node_modules", "build", "dist"}
MAX_ARCHITECTURE_LINES = 120

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TABLE_ROW = re.compile(r"^\|.*$", re.MULTILINE)
NUMBER = re.compile(r"\d[\d,.]*\d|\d")
COMMENT = re.compile(r"\s+#\s.*$")
"""A comment in a command or a data file, which may be in either language."""


def documents() -> Iterator[Path]:
    """Every Markdown file of the checkout."""
    for path in sorted(ROOT.rglob("*.md")):
        folders = path.relative_to(ROOT).parts[:-1]
        is_generated = folders[:1] == ("reports",) and len(folders) > 1
        if not is_generated and not any(
            name.startswith(".") or name in IGNORED_FOLDERS for name in folders
        ):
            yield path


def prose_of(path: Path) -> str:
    """The text outside code fences."""
    return FENCE.sub("", path.read_text("utf-8"))


def anchors_of(path: Path) -> set[str]:
    """The anchors that GitHub derives from the headings."""
    headings = HEADING.findall(prose_of(path))
    words = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {word.strip().replace(" ", "-") for word in words}


def code_of(path: Path) -> list[tuple[str, list[str]]]:
    """The fenced blocks without comments: language and lines."""
    return [
        (language, [COMMENT.sub("", line) for line in text.splitlines()])
        for language, text in FENCE.findall(path.read_text("utf-8"))
    ]


def test_every_link_has_a_target() -> None:
    broken = []
    for path in documents():
        for link in LINK.findall(prose_of(path)):
            target, _, anchor = unquote(link).partition("#")
            if re.match(r"\w+:", target):
                continue
            there = (path.parent / target).resolve() if target else path
            if not there.exists() or (anchor and anchor not in anchors_of(there)):
                broken.append(f"{path.relative_to(ROOT)}: {link}")
    assert broken == []


def test_every_guide_is_in_the_index() -> None:
    for folder in (DOCS, CHINESE, DECISIONS):
        guides = {path.name for path in folder.glob("*.md")} - {"README.md"}
        listed = set(LINK.findall((folder / "README.md").read_text("utf-8")))
        assert guides - listed == set()


def test_chinese_documents_have_the_same_code() -> None:
    pairs = [(ROOT / "README.md", ROOT / "README.zh.md")]
    pairs += [(DOCS / path.name, path) for path in sorted(CHINESE.glob("*.md"))]
    for english, chinese in pairs:
        assert code_of(english) == code_of(chinese), chinese


def test_both_readmes_have_the_same_numbers() -> None:
    english, chinese = (
        [sorted(NUMBER.findall(row)) for row in TABLE_ROW.findall(prose_of(ROOT / name))]
        for name in ("README.md", "README.zh.md")
    )
    assert english == chinese


def test_example_of_own_checks_is_the_package() -> None:
    package = ROOT / "examples" / "own-checks"
    files = [path for path in package.rglob("*") if path.suffix in {".py", ".toml", ".yaml"}]
    text = "\n".join(path.read_text("utf-8") for path in files)
    shown = FENCE.findall((DOCS / "own-checks.md").read_text("utf-8"))
    shown += FENCE.findall((DOCS / "pytest.md").read_text("utf-8"))
    snippets = [snippet for language, snippet in shown if language in {"python", "toml", "yaml"}]
    assert len(snippets) == 4
    assert [snippet for snippet in snippets if snippet not in text] == []


def test_example_contract_loads(tmp_path: Path) -> None:
    shown = FENCE.findall((DOCS / "own-contract.md").read_text("utf-8"))
    (overlay,) = (text for language, text in shown if language == "yaml")
    path = tmp_path / "gateway.yaml"
    path.write_text(overlay, "utf-8")
    contract = load_contract(str(path))
    assert contract.parameter("stop").max_items == 16
    assert not contract.parameter("suffix").documented


def test_every_attack_has_a_test() -> None:
    rows = TABLE_ROW.findall((DOCS / "attacks.md").read_text("utf-8"))
    attacks = [row for row in rows if not row.startswith(("|---", "| attack"))]
    assert len(attacks) > 30
    for row in attacks:
        files = re.findall(r"`(tests/[\w/]+\.py)`", row)
        assert files, row
        texts = [(ROOT / file).read_text("utf-8") for file in files]
        for name in re.findall(r"`(test_\w+)`", row):
            assert any(f"def {name}(" in text for text in texts), row


def test_decisions_are_numbered_and_dated() -> None:
    records = sorted(DECISIONS.glob("[0-9]*.md"))
    index = (DECISIONS / "README.md").read_text("utf-8")
    numbers = [int(path.name.partition("-")[0]) for path in records]
    assert len(set(numbers)) == len(numbers)
    for number, path in zip(numbers, records, strict=True):
        text = path.read_text("utf-8")
        title = text.splitlines()[0].removeprefix(f"# {number:04d}. ")
        date = re.search(r"^Date: (\d{4}-\d\d-\d\d) · Status: ", text, re.MULTILINE)
        assert path.name.startswith(f"{number:04d}-"), path.name
        assert date is not None, path.name
        assert f"| [{number:04d}]({path.name}) | {title} | {date[1]} |" in index
        headings = ["Context", "Decision", "Consequences"]
        assert HEADING.findall(text)[1:] == headings, path.name


def test_architecture_document_is_short() -> None:
    lines = (ROOT / "ARCHITECTURE.md").read_text("utf-8").splitlines()
    assert len(lines) <= MAX_ARCHITECTURE_LINES


def test_example_profile_is_read(tmp_path: Path) -> None:
    shown = FENCE.findall((DOCS / "profiles.md").read_text("utf-8"))
    (text,) = (text for language, text in shown if language == "yaml")
    path = tmp_path / "our-editor.yaml"
    path.write_text(text, "utf-8")
    profile = load_profile(str(path))
    assert [need.id for need in profile.needs] == ["stream", "stop", "errors"]


def test_guide_names_each_profile_and_reading() -> None:
    for folder in (DOCS, CHINESE):
        rows = " ".join(TABLE_ROW.findall((folder / "profiles.md").read_text("utf-8")))
        named = set(re.findall(r"`([a-z-]+)`", rows))
        assert {*bundled_names(), *READINGS, *COMPARISONS} <= named
