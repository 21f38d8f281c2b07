"""A loaded model, ready to serve: its tokenizer, its backend and the thread that runs them."""

import hashlib
import importlib
import logging
import textwrap
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reference_server.engine.backend import Backend
from reference_server.engine.request import EngineRequest, Update
from reference_server.engine.scheduler import Scheduler
from reference_server.engine.tokenizer import Tokenizer

BUNDLED = Path(__file__).parent.parent / "weights"

ONNX = "reference_server.engine.onnx_backend:OnnxBackend"
TRANSFORMERS = "reference_server.engine.transformers_backend:TransformersBackend"

logger = logging.getLogger(__name__)


class ModelError(Exception):
    """A model that cannot be loaded; the message is a sentence for the user."""


class MissingExtraError(Exception):
    """A package that an optional feature needs is not installed; the message says which extra."""


class OverloadedError(Exception):
    """More sequences wait than the engine takes on."""


class BrokenEngineError(Exception):
    """The engine ended by a fault of its own and computes nothing any more."""


@dataclass(frozen=True)
class LoadedModel:
    """Everything of a model that requests are checked against and generated with."""

    backend: Backend
    tokenizer: Tokenizer
    fingerprint: str
    """Changes with the weights and with nothing else."""


def load(folder: Path | None) -> LoadedModel:
    """The bundled model on onnxruntime, or any causal language model's folder by transformers.

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
    # A broken checkpoint surfaces as whatever its reader stumbles over, of whatever library.
    except Exception as error:
        raise ModelError(f"the model in {path} cannot be loaded: {_sentence(error)}") from error
    if tokenizer.size > backend.vocabulary:
        raise ModelError(
            f"the model in {path} cannot be loaded: its tokenizer has {tokenizer.size} tokens, "
            f"the model only {backend.vocabulary}"
        )
    return LoadedModel(backend, tokenizer, _fingerprint(path))


class Engine:
    """Runs a scheduler in a thread of its own and hands out what it makes.

    ``deliver`` is called in that thread with each turn's updates.
    """

    def __init__(
        self,
        model: LoadedModel,
        deliver: Callable[[list[Update]], None],
        *,
        rows: int = 32,
        queue: int = 4096,
    ) -> None:
        """``rows`` sequences run at once, ``queue`` sequences may wait besides."""
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
        """Whether the engine ended by a fault; only a new one would help."""
        return self._broken

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Give up what runs and end the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def submit(self, request: EngineRequest) -> None:
        """Take on a request.

        Raises OverloadedError when too much is waiting already, BrokenEngineError after a fault.
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
        """A request is over, answered or not; drops what it still has in the engine."""
        with self._changed:
            request.cancelled = True
            self._outstanding.pop(request, None)
            self._changed.notify()

    def _work(self) -> None:
        try:
            self._serve()
        except Exception:
            # Nobody may wait for an engine that is gone, neither now nor later.
            logger.exception("the engine ended by a fault; no request can be served any more")
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
            return self._scheduler.turn()
        except Exception:
            logger.exception("a turn of the engine failed; every request in it gets an error")
            return self._scheduler.fail_all()


def _make(backend: str, folder: Path) -> Backend:
    """Imported by name when wanted: either backend's packages are heavy, torch most of all."""
    module, name = backend.split(":")
    made: Backend = getattr(importlib.import_module(module), name)(folder)
    return made


def _sentence(error: Exception) -> str:
    """An error in one line, cut where libraries list everything they would have taken."""
    # These two come with a sentence; of any other the name says most.
    kind = "" if isinstance(error, OSError | ValueError) else f"{type(error).__name__}: "
    return textwrap.shorten(f"{kind}{error}", 300, placeholder=" ...")


def _fingerprint(folder: Path) -> str:
    """A digest of the weights, or of their sizes where they are too large to be read for it."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin")):
        size = path.stat().st_size
        digest.update(f"{path.name} {size}".encode())
        if size < 64 * 2**20:
            digest.update(path.read_bytes())
    return f"fp_{digest.hexdigest()[:10]}"
