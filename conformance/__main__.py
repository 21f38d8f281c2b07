"""The ``conformance`` command, also as ``python -m conformance``.

Nothing is imported before an interruption is handled: on a busy machine the imports take a second.
"""

import sys

INTERRUPTED = 2
"""The exit code, as in :class:`conformance.model.ExitCode`, which may not be imported yet."""


def main() -> None:
    """Run the command and exit; Ctrl-C ends it with one sentence at any time."""
    try:
        from conformance.cli import main as command  # noqa: PLC0415 - see above

        command()
    except KeyboardInterrupt:
        sys.stderr.write("conformance: interrupted\n")
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
