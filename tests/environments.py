"""Separate environments for tests whose packages are too heavy for the development environment, or
need other versions of its packages."""

import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from hashlib import sha256
from pathlib import Path

CACHE = Path(__file__).parent.parent / ".cache" / "environments"
INSTALL_SECONDS = 1800


def python_of(requirements: Path, *, layered: bool = False, complete: bool = False) -> Path:
    """Return the interpreter of an environment with the packages pinned in ``requirements``.

    It is kept between runs and rebuilt when the pins change. A layered one also sees packages of
    the current interpreter, unless its pins name another version. Where the pins are ``complete``,
    they alone are installed, whatever the packages themselves require.

    Raises RuntimeError with pip's output if the packages cannot be installed.
    """
    digest = sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = CACHE / f"{requirements.stem}-{digest}"
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        # Built elsewhere and moved into place, so that an interrupted run leaves no partial one.
        making = Path(tempfile.mkdtemp(dir=CACHE))
        try:
            _make(making, requirements, layered=layered, complete=complete)
            making.rename(folder)
        except OSError:  # another worker was quicker
            if not folder.exists():
                raise
        finally:
            shutil.rmtree(making, ignore_errors=True)
    return _python(folder)


def _make(folder: Path, requirements: Path, *, layered: bool, complete: bool) -> None:
    venv.create(folder, with_pip=True, symlinks=True)
    if layered:
        below = sysconfig.get_path("purelib")
        (_site(folder) / "layer-below.pth").write_text(below + "\n", "utf-8")
    # Called as a module: the scripts of an environment do not survive its move.
    pip = [str(_python(folder)), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    installed = subprocess.run(
        [*pip, "install", *(["--no-deps"] if complete else []), "--requirement", str(requirements)],
        check=False,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
    )
    if installed.returncode:
        raise RuntimeError(f"{requirements.name} could not be installed:\n{installed.stderr}")


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _site(folder: Path) -> Path:
    scheme = {"base": str(folder), "platbase": str(folder)}
    return Path(sysconfig.get_path("purelib", "venv", scheme))
