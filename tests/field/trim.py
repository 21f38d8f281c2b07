"""Trim a run's record to what a replay reads: ``python -m tests.field.trim RUN.ndjson OUT.gz``.

Exchanges stay as they were recorded. What a replay computes anew is left out: the contract's
subjects and requirements, the titles of findings, and the answers of the comparison server.
"""

import gzip
import json
import sys
from pathlib import Path
from typing import Any


def main(record: Path, out: Path) -> None:
    """Write the trimmed record, the same bytes each time."""
    rows = (json.loads(line) for line in record.read_text("utf-8").splitlines())
    kept = (trimmed(row) for row in rows if row["kind"] != "comparison")
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in kept)
    out.write_bytes(gzip.compress("".join(lines).encode(), mtime=0))


def trimmed(row: dict[str, Any]) -> dict[str, Any]:
    """Empty what a replay does not read."""
    match row["kind"]:
        case "header":
            return {**row, "subjects": [], "requirements": []}
        case "finding":
            return {**row, "title": "", "title_zh": "", "roles": {}}
    return row


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
