"""``--otel``: send a recorded run to an OpenTelemetry collector, where one is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from conformance.cli.exit_codes import UserError
from conformance.cli.terminal import say
from conformance.model import Run

SERVICE = "completions-conformance"
INSTALL = "pip install 'completions-conformance[otel]'"


def exporter(environment: Mapping[str, str]) -> Callable[[Run], None]:
    """Return what sends a run.

    Raises:
        UserError: the packages are not installed, or no endpoint is named.
    """
    try:
        # An extra, and its import takes long.
        from conformance.report.otel import exporting  # noqa: PLC0415
    except ImportError:
        raise UserError(f"--otel needs packages that are not installed; {INSTALL}") from None
    from conformance.report.otel.operations import UndatedError  # noqa: PLC0415

    signals = exporting.signals_in(environment)
    if not signals:
        raise UserError(
            f"--otel needs to know where to send to; set {exporting.SHARED_VARIABLE}, such as "
            "http://127.0.0.1:4318"
        )
    is_named = "service.name=" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    service = None if environment.get("OTEL_SERVICE_NAME") or is_named else SERVICE

    def send(run: Run) -> None:
        try:
            count = exporting.export(run, signals, exporting.resource_of(service))
        except exporting.ExportError as error:
            raise UserError(str(error)) from None
        except UndatedError:
            raise UserError("the record has no valid start time, which spans need") from None
        say(f"sent to the collector: {' and '.join(signals)} ({count} spans)")

    return send
