"""The matrix: many runs in one table, as a page, as data, as Markdown and for a terminal."""

from __future__ import annotations

from conformance.reports.matrix.building import matrix_of
from conformance.reports.matrix.records import Matrix, Recorded

__all__ = ["Matrix", "Recorded", "matrix_of"]
