"""Compiled templates, kept where Python keeps our compiled modules.

Compiling the templates of one page takes as long as filling them in. The same settings apply as to
modules: ``PYTHONDONTWRITEBYTECODE`` keeps anything from being written, ``PYTHONPYCACHEPREFIX``
names another folder.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class TemplateBytecode(BytecodeCache):
    """A cache of compiled templates beside their sources.

    A source that has changed since, and another version of Python or of the library, are told by
    what the library writes in front of the code. A folder that cannot be written to is no error.

    Args:
        folder: where the templates are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_cache_key(self, name: str, filename: str | None = None) -> str:  # noqa: ARG002 - the library's signature
        """Return the template's name, by which its file is found."""
        return name

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read a compiled template, if there is one."""
        with suppress(OSError), self._file(bucket).open("rb") as file:
            bucket.load_bytecode(file)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Write a compiled template for the next process."""
        if sys.dont_write_bytecode:
            return
        path = self._file(bucket)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Other processes may read the file, or write it, at the same time.
            descriptor, name = tempfile.mkstemp(dir=path.parent)
            with os.fdopen(descriptor, "wb") as file:
                bucket.write_bytecode(file)
            Path(name).replace(path)

    def _file(self, bucket: Bucket) -> Path:
        return Path(cache_from_source(str(self._folder / bucket.key)))
