"""The command line: starts the server, or prints one sentence about what is wrong.

Exit codes: 0 after a clean shutdown, 3 if the server cannot run, 4 for a usage error.
"""

import argparse
import importlib
import os
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from reference_server.behaviour import listing, registry
from reference_server.behaviour.messages import Behaviour
from reference_server.completions.dialects import DIALECTS, INSTRUCT, REFERENCE

DEMO_KEY = "sk-reference-server-demo-key"
KEY_VARIABLE = "REFERENCE_SERVER_API_KEY"
MODELS = (INSTRUCT, "davinci-002")
"""The model of the documents' examples, and a base model."""
LOG_LEVELS = ("critical", "error", "warning", "info", "debug")

BALANCE_RULES = ("generated", "whole", "nothing")
"""The rules of ``reference_server.http.balance``, which this module imports late."""

CANNOT_RUN = 3
USAGE = 4


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Print the error in one line and exit with the code for usage errors."""
        self.exit(USAGE, f"{self.prog}: {message} (--help shows the options)\n")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the server until a signal; never returns."""
    if not sys.warnoptions:  # `python -W` and PYTHONWARNINGS still show them
        warnings.simplefilter("ignore")  # libraries' warnings are for programmers, not for users
    options = _parser().parse_args(arguments)
    if options.list_dialects:
        _list_dialects()
        sys.exit(0)
    if options.list_faults or options.list_variants:
        listed = listing.faults() if options.list_faults else listing.variants()
        sys.stdout.write(listed.json() if options.format == "json" else listed.text())
        sys.exit(0)
    options.behaviour = _behaviour(options)
    # Until the server installs its own handlers, a signal ends the process.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if options.exit_with_stdin:
        threading.Thread(target=_exit_with_stdin, daemon=True).start()
    try:
        _serve(options)
    except KeyboardInterrupt:
        sys.exit(0)
    sys.exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="reference-server",
        description="A reference server for POST /v1/completions. It conforms to the contract "
        "of every parameter, or shows a chosen fault.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add(
        "--port",
        type=_port,
        default=8080,
        help="port to listen on; 0 chooses a free one (default: %(default)s)",
    )
    add(
        "--api-key",
        metavar="KEY",
        default=os.environ.get(KEY_VARIABLE) or DEMO_KEY,
        help=f"key that clients must send (default: ${KEY_VARIABLE}, else {DEMO_KEY})",
    )
    add(
        "--dialect",
        metavar="NAME",
        choices=tuple(DIALECTS),
        default=REFERENCE.name,
        help="document to emulate (default: %(default)s, which supports every parameter)",
    )
    add("--list-dialects", action="store_true", help="list the dialects and exit")
    add(
        "--fault",
        metavar="NAME",
        action="append",
        default=[],
        help="show a fault; NAME@TRIGGER limits when it strikes, as in usage-missing@stream; "
        "repeatable",
    )
    add("--list-faults", action="store_true", help="list the faults with their triggers and exit")
    add(
        "--variant",
        metavar="NAME",
        action="append",
        default=[],
        help="show a variant, a behaviour that differs and conforms; repeatable",
    )
    add("--list-variants", action="store_true", help="list the variants and exit")
    add(
        "--format",
        choices=("text", "json"),
        default="text",
        help="format of a list (default: text)",
    )
    add(
        "--showcase",
        action="store_true",
        help="serve every dialect, fault and variant, each under /DIALECT/NAME/ANYTHING/v1",
    )
    add(
        "--model",
        metavar="PATH",
        type=Path,
        help="folder of a causal language model, served through transformers "
        "(default: the bundled model)",
    )
    add(
        "--served-model-name",
        metavar="NAME",
        nargs="+",
        default=MODELS,
        help=f"names to serve the model under (default: {' '.join(MODELS)})",
    )
    add(
        "--balance",
        metavar="RULE",
        choices=BALANCE_RULES,
        help="serve a balance of tokens at /v1/balance; a stream that its client leaves costs what "
        "was generated, its whole limit, or nothing: generated, whole or nothing (default: none)",
    )
    add(
        "--max-running",
        metavar="N",
        type=_count,
        default=32,
        help="maximum number of sequences generated at once (default: %(default)s)",
    )
    add(
        "--max-waiting",
        metavar="N",
        type=_count,
        default=4096,
        help="maximum number of sequences in the server; more get 429 (default: %(default)s)",
    )
    add(
        "--log-level",
        choices=LOG_LEVELS,
        default="info",
        help="least severe level that is logged to stderr (default: %(default)s)",
    )
    add(
        "--exit-with-stdin",
        action="store_true",
        help="exit when standard input is closed, so that the server ends with the program "
        "that started it, even if that is killed",
    )
    return parser


def _list_dialects() -> None:
    width = max(map(len, DIALECTS))
    for dialect in DIALECTS.values():
        sys.stdout.write(f"{dialect.name:<{width}}  {dialect.summary}\n")


def _behaviour(options: argparse.Namespace) -> Behaviour | None:
    """The behaviour in front of the server, or None; the first one named is next to the client."""
    named = [*options.fault, *options.variant]
    if named and options.showcase:
        _fail(
            USAGE, "--showcase cannot be combined with --fault or --variant; name them in the path"
        )
    try:
        return registry.behaviour("+".join(named)) if named else None
    except registry.UnknownBehaviourError as error:
        _fail(USAGE, f"{error} (see --list-faults and --list-variants)")


def _exit_with_stdin() -> None:
    """Wait until standard input is closed, then end as on SIGTERM."""
    # Not through sys.stdin, whose lock this thread would still hold at exit.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port between 0 and 65535")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)


def _serve(options: argparse.Namespace) -> None:
    if options.model is not None and not options.model.is_dir():
        _fail(USAGE, f"--model: no such folder: {options.model}")
    if not (options.api_key.isascii() and options.api_key.isprintable()):
        _fail(USAGE, "--api-key: only printable ASCII characters are allowed")
    listener = _listen(options.host, options.port)
    try:
        # Imported only now, so that --help and usage errors need no packages of the server.
        running: Any = importlib.import_module("reference_server.http.lifecycle")
    except ImportError as error:
        _fail(
            CANNOT_RUN,
            f"{error.name} is not installed; the server needs completions-conformance[server]",
        )
    try:
        running.run(listener, options)
    except running.CannotRunError as error:
        _fail(CANNOT_RUN, str(error))


def _listen(host: str, port: int) -> socket.socket:
    """Bind the port before the slow part of the start."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        _fail(CANNOT_RUN, f"cannot listen on {host} port {port}: {error.strerror}")
    return listener


def _fail(code: int, sentence: str) -> NoReturn:
    sys.stderr.write(f"reference-server: {sentence}\n")
    sys.exit(code)
