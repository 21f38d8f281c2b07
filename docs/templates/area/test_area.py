"""The checks of ``system_fingerprint`` detect their fault, and accept the conforming variant."""

from __future__ import annotations

import json

from click.testing import CliRunner

from conformance.cli import main


def test_the_fault_is_detected_and_the_variant_accepted() -> None:
    request = ("--fault", "fingerprint-per-chunk", "--variant", "fingerprint-in-first-chunk")
    ended = CliRunner().invoke(main, ["selftest", "--tier", "deep", *request, "--format", "json"])
    matrix = json.loads(ended.stdout)
    (fault,) = matrix["faults"]
    assert all(run["found_by"][0].startswith("fingerprint.") for run in fault["runs"])
    (variant,) = (
        entry for entry in matrix["correct"] if entry["name"] == "fingerprint-in-first-chunk"
    )
    assert all(run["false_alarms"] == [] for run in variant["runs"])
