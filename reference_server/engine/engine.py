"""A loaded model, ready to serve: its tokenizer, its backend and the thread that runs them."""

import hashlib
import importlib
import logging
import textwrap
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from reference_server.engine.backend import Backend
from reference_server.engine.constraint import GrammarReader
from reference_server.engine.request import EngineRequest, Update
from reference_server.engine.scheduler import Scheduler
from reference_server.engine.tokenizer import Tokenizer

BUNDLED = Path(__file__).parent.parent / "weights"

ONNX = "reference_server.engine.onnx_backend:OnnxBackend"
MATCHER = "reference_server.engine.matcher:MatcherReader"
TRANSFORMERS = "reference_server.engine.transformers_backend:TransformersBackend"

logger = logging.getLogger(__name__)


class ModelError(Exception):
    """A model that cannot be loaded; the message is a sentence for the user."""


class MissingExtraError(Exception):
    """A package that an optional feature needs is not installed; the message says which extra."""


class OverloadedError(Exception):
    """There are more sequences than the engine accepts."""


class BrokenEngineError(Exception):
    """The engine has failed and computes nothing any more."""


@dataclass(frozen=True)
class LoadedModel:
    """The parts of a model that are needed to check requests and to generate."""

    backend: Backend
    tokenizer: Tokenizer
    fingerprint: str
    """Changes with the weights only."""

    @cached_property
    def grammars(self) -> GrammarReader:
        """Reads constraints for this vocabulary; made for the first request that has one.

        Raises MissingExtraError.
        """
        try:
            module, name = MATCHER.split(":")
            made: GrammarReader = getattr(importlib.import_module(module), name)(
                self.tokenizer, self.backend.vocabulary
            )
        except ImportError as error:
            raise MissingExtraError(
                f"{error.name} is not installed; install completions-conformance[server]"
            ) from error
        return made


def load(folder: Path | None) -> LoadedModel:
    """The bundled model on onnxruntime, or the folder of any causal language model in transformers.

    Raises ModelError or MissingExtraError.
    """
    path = BUNDLED if folder is None else folder
    if not (path / "config.json").is_file():
        raise ModelError(f"there is no model in {path}: it has no config.json")
    try:
        backend = _make(ONNX if folder is None else TRANSFORMERS, path)
        tokenizer = Tokenizer(path)
    except ImportError as error:
        extra = "server" if folder is None else "transformers"
        raise MissingExtraError(
            f"{error.name} is not installed; install completions-conformance[{extra}]"
        ) from error
    # A broken checkpoint can raise any error of any library that reads it.
    except Exception as error:
        raise ModelError(f"the model in {path} cannot be loaded: {_sentence(error)}") from error
    if tokenizer.size > backend.vocabulary:
        raise ModelError(
            f"the model in {path} cannot be loaded: its tokenizer has {tokenizer.size} tokens, "
            f"the model only {backend.vocabulary}"
        )
    return LoadedModel(backend, tokenizer, _fingerprint(path))


class Engine:
    """Runs a scheduler in a thread and delivers its results.

    ``deliver`` is called in that thread with the updates of each step.
    """

    def __init__(
        self,
        model: LoadedModel,
        deliver: Callable[[list[Update]], None],
        *,
        rows: int = 32,
        queue: int = 4096,
    ) -> None:
        """At most ``rows`` sequences run at once, and ``queue`` are accepted in all."""
        self.model = model
        self._deliver = deliver
        self._queue = queue
        self._scheduler = Scheduler(model.backend, model.tokenizer, rows)
        self._arrived: list[EngineRequest] = []
        self._outstanding: dict[EngineRequest, int] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._broken = False
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)

    @property
    def broken(self) -> bool:
        """Whether the engine has failed; only a new one would work."""
        return self._broken

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Cancel all requests and end the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def submit(self, request: EngineRequest) -> None:
        """Accept a request.

        Raises OverloadedError if there are too many sequences, BrokenEngineError after a failure.
        """
        with self._changed:
            if self._broken:
                raise BrokenEngineError
            waiting = sum(self._outstanding.values())
            if waiting and waiting + request.size > self._queue:
                raise OverloadedError
            self._outstanding[request] = request.size
            self._arrived.append(request)
            self._changed.notify()

    def release(self, request: EngineRequest) -> None:
        """A request has ended, with or without a response; drop its sequences."""
        with self._changed:
            request.cancelled = True
            self._outstanding.pop(request, None)
            self._changed.notify()

    def _work(self) -> None:
        try:
            self._serve()
        except Exception:
            # No request may wait for an engine that has ended.
            logger.exception("the engine has failed; it serves no further requests")
            with self._changed:
                self._broken = True
                left = list(self._outstanding)
            self._deliver([Update(request, failed=True) for request in left])

    def _serve(self) -> None:
        while True:
            with self._changed:
                while not self._arrived and self._scheduler.idle and not self._stopping:
                    self._changed.wait()
                if self._stopping:
                    return
                arrived, self._arrived = self._arrived, []
            for request in arrived:
                self._scheduler.add(request)
            updates = self._turn()
            if updates:
                self._deliver(updates)

    def _turn(self) -> list[Update]:
        try:
            return self._scheduler.step()
        except Exception:
            logger.exception("a step of the engine failed; every request in it gets an error")
            return self._scheduler.fail_all()


def _make(backend: str, folder: Path) -> Backend:
    """Imported on demand: the packages of both backends are large, torch most of all."""
    module, name = backend.split(":")
    made: Backend = getattr(importlib.import_module(module), name)(folder)
    return made


def _sentence(error: Exception) -> str:
    """An error in one line, cut before libraries' lists of supported values."""
    # These two have a sentence; for others, the class name says most.
    kind = "" if isinstance(error, OSError | ValueError) else f"{type(error).__name__}: "
    return textwrap.shorten(f"{kind}{error}", 300, placeholder=" ...")


def _fingerprint(folder: Path) -> str:
    """A digest of the weights, or of their sizes if they are too large to read for it."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin")):
        size = path.stat().st_size
        digest.update(f"{path.name} {size}".encode())
        if size < 64 * 2**20:
            digest.update(path.read_bytes())
    return f"fp_{digest.hexdigest()[:10]}"
