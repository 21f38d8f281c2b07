"""Every failure of a command ends with a sentence and the right exit code."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from conformance.cli.exit_codes import Suite, UserError, unforeseen


def ending(error: BaseException) -> tuple[int, str]:
    @click.group(cls=Suite)
    def suite() -> None:
        """A suite of one command."""

    @suite.command()
    def fail() -> None:
        raise error

    result = CliRunner().invoke(suite, ["fail"])
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (click.UsageError("wrong"), 4),
        (UserError("wrong"), 4),
        (KeyboardInterrupt(), 2),
        (click.Abort(), 2),
        (RuntimeError("oh"), 3),
        (RecursionError(), 3),
    ],
)
def test_each_ending_has_its_code(error: BaseException, code: int) -> None:
    assert ending(error)[0] == code


def test_details_of_an_internal_error_are_kept() -> None:
    _, output = ending(RuntimeError("the reason"))
    (line,) = output.splitlines()
    details = Path(line.rpartition(" ")[2])
    assert "internal error (RuntimeError); please report it with the details in" in line
    assert "the reason" in details.read_text()
    details.unlink()


def test_sentence_cannot_control_the_terminal() -> None:
    _, output = ending(UserError("no such file \x1b[31m\u202egnp\n.exe"))
    assert output == "conformance: no such file ␛[31m⟨U+202E⟩gnp␊.exe\n"


def test_full_disk_does_not_hide_an_internal_error(tmp_path: Path) -> None:
    sentence = unforeseen(RuntimeError("oh"), tmp_path / "nowhere")
    assert "(RuntimeError); the details could not be written" in sentence


def test_callers_can_request_exceptions() -> None:
    @click.group(cls=Suite)
    def suite() -> None:
        """A suite of one command."""

    with pytest.raises(click.UsageError):
        suite.main(["nothing"], standalone_mode=False)
