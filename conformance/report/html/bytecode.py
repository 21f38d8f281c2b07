"""A cache of compiled templates, in the folder of Python's compiled modules.

Compiling the templates of a page takes as long as rendering it. ``PYTHONDONTWRITEBYTECODE`` and
``PYTHONPYCACHEPREFIX`` apply as for modules.
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
    """A cache of compiled templates.

    Jinja2 stores a checksum of the source and the versions of Python and Jinja2 with the code, so
    outdated entries are ignored. A read-only folder is not an error.

    Args:
        folder: the folder of the templates.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_cache_key(self, name: str, filename: str | None = None) -> str:  # noqa: ARG002 - the library's signature
        """Return the template's name, which is the name of its file."""
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
            # Written to a temporary file, because other processes may read or write it as well.
            descriptor, name = tempfile.mkstemp(dir=path.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    bucket.write_bytecode(file)
                Path(name).replace(path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

    def _file(self, bucket: Bucket) -> Path:
        return Path(cache_from_source(str(self._folder / bucket.key)))
