"""What GitHub Actions is told besides the exit code: annotations, and the summary of the job."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from conformance.cli.ci_log import command
from conformance.cli.outputs import Rendered
from conformance.cli.terminal import say
from conformance.language import Language
from conformance.model import Run
from conformance.report.ci.github import (
    MAX_OF_A_KIND,
    MAX_SUMMARY_BYTES,
    annotate,
    step_summary,
)
from conformance.transport import gate

SUMMARY = "GITHUB_STEP_SUMMARY"


def in_actions(environment: Mapping[str, str]) -> bool:
    """Return whether the process runs in GitHub Actions."""
    return environment.get("GITHUB_ACTIONS") == "true"


def show_in_ci(runs: Sequence[tuple[str, Run, Rendered]], language: Language) -> None:
    """Annotate the runs and write the job's summary, if this is GitHub Actions.

    Args:
        runs: the name of each target, its run, and what its reports are made of.
        language: the language of both.
    """
    if not in_actions(os.environ) or not runs:
        return
    room = max(1, MAX_OF_A_KIND // len(runs))
    for _, run, rendered in runs:
        for text in annotate(run, rendered.location, language, room):
            command(text)
    path = os.environ.get(SUMMARY)
    if path:
        _append([run for _, run, _ in runs], Path(path), language)


def _append(runs: Sequence[Run], path: Path, language: Language) -> None:
    """Append to the summary what there is room for; it is no reason to fail."""
    try:
        used = path.stat().st_size if path.exists() else 0
        room = max(0, MAX_SUMMARY_BYTES - used)
        with path.open("ab") as file:
            for run in runs:
                # A secret and its mark have different lengths, so redaction comes before the size.
                text = gate.redact(step_summary(run, language, room))
                written = f"{text}\n".encode(errors="backslashreplace")
                if not text or len(written) > room:
                    break
                file.write(written)
                room -= len(written)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "this is not a valid path"
        say(f"cannot write the job's summary to ${SUMMARY}: {reason}")
