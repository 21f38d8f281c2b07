"""Keep the catalogues of messages up to date; run as ``python -m tests.messages``.

Without an option, ids that were added to the code are added to ``messages.po``, for you to
translate, those that are gone are removed, and ``messages.mo`` is compiled. With ``--check``
nothing is written, and the exit status is 1 if something is to be done: ``make lint`` runs that.
"""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from conformance.locale.foreign import FOREIGN
from conformance.message import as_message, split

ROOT = Path(__file__).parents[1]
SUITE = ROOT / "conformance"
PO = SUITE / "locale" / "zh" / "LC_MESSAGES" / "messages.po"
MO = PO.with_suffix(".mo")

HEAD = """\
# Chinese sentences of messages; see conformance/checks/README.md.
# `python -m tests.messages` adds and removes ids and compiles the catalogue.
msgid ""
msgstr ""
"Language: zh\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""


def ids_in_code() -> dict[str, set[str]]:
    """Return the ids of all messages, and the files that have them."""
    found: dict[str, set[str]] = {}
    for file, message_id in (*_said(), *_of_contracts(), *_of_libraries()):
        found.setdefault(message_id, set()).add(file)
    return found


def _said() -> Iterator[tuple[str, str]]:
    for path in sorted(SUITE.rglob("*.py")):
        for call in calls_of_say(path):
            match call.args:
                case [ast.Constant(value=str(message_id))]:
                    yield path.relative_to(ROOT).as_posix(), message_id
                case _:
                    raise SystemExit(f"{path}:{call.lineno}: the id of a message is no literal")


def phrases_in_arguments() -> Iterator[str]:
    """Yield where a phrase is a plain string, which would be shown in English everywhere."""
    for path in sorted(SUITE.rglob("*.py")):
        if path.relative_to(SUITE).parts[0] in OTHER_TEXTS:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                for value in _evidence_in(node):
                    if _PROSE.search(_literals_of(value)):
                        yield f"{path.relative_to(ROOT)}:{value.lineno}"


OTHER_TEXTS = {"cli", "report", "pytest_plugin", "targets", "testing", "selftest"}
"""Packages whose sentences are pairs of texts, or English."""

_PROSE = re.compile(r"[A-Za-z]{2,} (?:\0 )?[a-z]{2,}")


def _evidence_in(call: ast.Call) -> Iterator[ast.expr]:
    """Yield the arguments of a call that are shown as they are, if they are strings."""
    match getattr(call.func, "id", getattr(call.func, "attr", "")):
        case "say":
            yield from (word.value for word in call.keywords)
        case "verbatim":
            yield from call.args
        case "expect":
            yield from call.args[1:2]


def _literals_of(value: ast.expr) -> str:
    """Return what is literal in a string, with a mark for each value in it."""
    match value:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_literals_of(part) or "\0" for part in parts)
        case ast.IfExp(body=one, orelse=other):
            return f"{_literals_of(one)}\n{_literals_of(other)}"
        case _:
            return ""


def calls_of_say(path: Path) -> Iterator[ast.Call]:
    """Yield the calls of :func:`conformance.message.say` in a module."""
    tree = ast.parse(path.read_text("utf-8"))
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    if not any(
        node.module == "conformance.message" and any(name.name == "say" for name in node.names)
        for node in imports
    ):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
            yield node


def _of_contracts() -> Iterator[tuple[str, str]]:
    """Yield why a document's overlay excludes requirements."""
    for path in sorted((ROOT / "spec" / "documents").glob("*.yaml")):
        about = yaml.safe_load(path.read_text("utf-8"))
        for action in about["actions"]:
            update = action.get("update") or {}
            rules = update.get("x-conformance", {}) if isinstance(update, dict) else {}
            for row in rules.get("excludes", []):
                yield f"spec/documents/{path.name}", as_message(row["because"]).template


def _of_libraries() -> Iterator[tuple[str, str]]:
    for phrase in FOREIGN:
        yield "conformance/locale/foreign.py", as_message(phrase).template


def catalogue() -> Catalog:
    """Read the translations."""
    with PO.open("rb") as file:
        return read_po(file, locale="zh")


def updated(known: Catalog) -> Catalog:
    """Return a catalogue with the ids that the code has, and the translations that are known."""
    result = Catalog(locale="zh", charset="utf-8")
    for message_id, files in sorted(ids_in_code().items()):
        old = known.get(message_id)
        result.add(
            message_id,
            old.string if old else "",
            locations=[(name, None) for name in sorted(files)],
        )
    return result


def as_po(known: Catalog) -> bytes:
    """Write a catalogue as text that depends on nothing but its messages."""
    file = io.BytesIO()
    write_po(file, known, width=0, sort_output=True, omit_header=True, include_lineno=False)
    return HEAD.encode() + file.getvalue()


class _Plain(Catalog):
    """A catalogue whose header has no dates and versions, so that it depends on messages alone."""

    mime_headers = (("Content-Type", "text/plain; charset=utf-8"), ("Language", "zh"))


def as_mo(known: Catalog) -> bytes:
    """Compile a catalogue; what has no translation is left out."""
    plain = _Plain(locale="zh")
    for message in known:
        if message.id and message.string:
            plain.add(message.id, message.string)
    file = io.BytesIO()
    write_mo(file, plain)
    return file.getvalue()


def problems() -> list[str]:
    """Say what is wrong with the catalogues."""
    known, current = catalogue(), ids_in_code()
    translated = {m.id: m.string for m in known if m.id}
    result = [f"no translation: {i}" for i in sorted(current) if not translated.get(i)]
    result += [f"no longer in the code: {i}" for i in sorted(translated.keys() - current)]
    for message_id, string in sorted(translated.items()):
        if string and sorted(split(message_id)[1]) != sorted(split(string)[1]):
            result.append(f"other placeholders: {message_id} -> {string}")
    result += [f"a phrase as a plain string: {place}" for place in phrases_in_arguments()]
    if not result and PO.read_bytes() != as_po(updated(known)):
        result.append("messages.po is not as this tool writes it")
    if MO.read_bytes() != as_mo(known):
        result.append("messages.mo is not compiled from messages.po")
    return result


def main() -> int:
    if "--check" in sys.argv:
        found = problems()
        sys.stdout.writelines(f"{problem}\n" for problem in found)
        return int(bool(found))
    known = updated(catalogue())
    PO.write_bytes(as_po(known))
    MO.write_bytes(as_mo(known))
    missing = [message.id for message in known if message.id and not message.string]
    sys.stdout.writelines(f"to translate: {message_id}\n" for message_id in missing)
    return 0


if __name__ == "__main__":
    sys.exit(main())
